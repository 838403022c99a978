#include "services/auth/accounts/robots.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/auth/records/secret.h"
#include "services/core/time/fake_clock.h"
#include "services/core/time/proto_time.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using policy::Action;
using ::testing::HasSubstr;

v1::CreateRobot Command(const std::string& text) {
  v1::CreateRobot command;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &command));
  return command;
}

class RobotsTest : public testing::Test {
 protected:
  std::string Problem(const std::string& text) {
    const auto made = robots_.Create(Command(text), "admin");
    EXPECT_THAT(made, StatusIs(absl::StatusCode::kInvalidArgument));
    return std::string(made.status().message());
  }

  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  Robots robots_{&kv_, &clock_};
};

TEST_F(RobotsTest, StoresOnlyTheHashOfTheSecret) {
  ASSERT_OK_AND_ASSIGN(const Robots::RobotWithSecret made, robots_.Create(Command(R"(
    name: "deploy" description: "the cluster"
    scopes { repositories: "driftwood/**" actions: "pull" }
    lifetime { seconds: 3600 })"),
                                                                          "admin"));
  EXPECT_TRUE(made.secret.starts_with("entrepot_robot_"));
  ASSERT_OK_AND_ASSIGN(const auto robot, robots_.Find("deploy"));
  ASSERT_TRUE(robot.has_value());
  EXPECT_EQ(robot->secret_sha256, Sha256(made.secret));
  EXPECT_EQ(robot->description.description(), "the cluster");
  EXPECT_EQ(robot->description.created_by(), "admin");
  EXPECT_EQ(FromTimestamp(robot->description.expires_at()), clock_.Now() + absl::Hours(1));
  ASSERT_EQ(robot->grants.size(), 1u);
  EXPECT_TRUE(robot->grants[0].Allows(Action::kPull, "driftwood/web"));
  EXPECT_FALSE(robot->grants[0].Allows(Action::kPush, "driftwood/web"));
  ASSERT_OK_AND_ASSIGN(const auto all, kv_.Scan({}));
  for (const kv::KeyValue& entry : all) EXPECT_THAT(entry.value, Not(HasSubstr(made.secret)));
}

TEST_F(RobotsTest, Expire) {
  ASSERT_OK_AND_ASSIGN(const Robots::RobotWithSecret made,
                       robots_.Create(Command("name: 'a' lifetime { seconds: 60 }"), "x"));
  EXPECT_FALSE(made.robot.IsExpired(clock_.Now() + absl::Seconds(59)));
  EXPECT_TRUE(made.robot.IsExpired(clock_.Now() + absl::Seconds(60)));
  ASSERT_OK_AND_ASSIGN(const Robots::RobotWithSecret lasting, robots_.Create(Command("name: 'b'"), "x"));
  EXPECT_EQ(lasting.robot.expires_at(), absl::InfiniteFuture());
}

TEST_F(RobotsTest, ANewSecretReplacesTheOldOne) {
  ASSERT_OK_AND_ASSIGN(const Robots::RobotWithSecret made, robots_.Create(Command("name: 'a'"), "x"));
  ASSERT_OK_AND_ASSIGN(const Robots::RobotWithSecret rotated, robots_.RotateSecret("a"));
  EXPECT_NE(rotated.secret, made.secret);
  ASSERT_OK_AND_ASSIGN(const auto robot, robots_.Find("a"));
  EXPECT_EQ(robot->secret_sha256, Sha256(rotated.secret));
  EXPECT_THAT(robots_.RotateSecret("b"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(RobotsTest, AreListedAndDeleted) {
  ASSERT_OK(robots_.Create(Command("name: 'b'"), "x"));
  ASSERT_OK(robots_.Create(Command("name: 'a'"), "x"));
  EXPECT_THAT(robots_.Create(Command("name: 'a'"), "x"), StatusIs(absl::StatusCode::kAlreadyExists));
  ASSERT_OK_AND_ASSIGN(auto robots, robots_.List());
  ASSERT_EQ(robots.size(), 2u);
  EXPECT_EQ(robots[0].description.name(), "a");
  ASSERT_OK(robots_.Delete("a"));
  EXPECT_THAT(robots_.Delete("a"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(robots, robots_.List());
  EXPECT_EQ(robots.size(), 1u);
}

TEST_F(RobotsTest, RefusesInvalidRobots) {
  EXPECT_THAT(Problem("name: 'robot+x'"), HasSubstr("not a robot's name"));
  EXPECT_THAT(Problem("name: 'a' lifetime { seconds: 0 }"), HasSubstr("lifetime"));
  EXPECT_THAT(Problem("name: 'a' lifetime { seconds: -5 }"), HasSubstr("lifetime"));
  EXPECT_THAT(Problem("name: 'a' lifetime { seconds: 315576000000 }"), HasSubstr("lifetime"));
  EXPECT_THAT(Problem("name: 'a' scopes { repositories: 'a' actions: 'pull' } scopes { repositories: 'a' }"),
              HasSubstr("scope 2: there are no actions"));
  EXPECT_THAT(Problem("name: 'a' scopes { repositories: 'A' actions: 'pull' }"), HasSubstr("scope 1: "));
  EXPECT_THAT(Problem("name: 'a' description: '" + std::string(1025, 'x') + "'"), HasSubstr("description"));
  EXPECT_THAT(robots_.List(), IsOkAndHolds(testing::IsEmpty()));
}

}  // namespace
}  // namespace entrepot::auth
