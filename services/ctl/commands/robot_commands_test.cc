#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kSecret[] = R"({"robotSecret": {"account": "robot+deploy", "secret": "x9"}})";

class RobotCommandsTest : public CommandTest {};

TEST_F(RobotCommandsTest, List) {
  EXPECT_EQ(Administer({"robots", "list"}, R"({"listRobots": {}})",
                       R"({"robots": {"robots": [{"name": "deploy", "description": "hosts", "createdBy": "admin",
                           "scopes": [{"repositories": ["a/**"], "actions": ["pull"]}]}]}})"),
            "ROBOT   ALLOWED    EXPIRES (UTC)  LAST USED (UTC)  CREATED BY  DESCRIPTION\n"
            "deploy  a/**:pull  never          never            admin       hosts\n");
}

TEST_F(RobotCommandsTest, CreateSendsAllOptionsAndPrintsTheSecret) {
  const std::string text =
      Administer({"robots", "create", "deploy", "--allow", "driftwood/**,host:5000/base:pull,push", "--allow=x:delete",
                  "--description", "main branch", "--expires", "30d"},
                 R"({"createRobot": {"name": "deploy", "description": "main branch", "lifetime": "2592000s",
          "scopes": [{"repositories": ["driftwood/**", "host:5000/base"], "actions": ["pull", "push"]},
                     {"repositories": ["x"], "actions": ["delete"]}]}})",
                 kSecret);
  EXPECT_THAT(text, HasSubstr("account  robot+deploy\nsecret   x9\n"));
}

TEST_F(RobotCommandsTest, CreateLeavesOutWhatIsNotGiven) {
  const std::string json = Administer(
      {"robots", "create", "--allow", "a:pull", "deploy", "--output", "json"},
      R"({"createRobot": {"name": "deploy", "scopes": [{"repositories": ["a"], "actions": ["pull"]}]}})", kSecret);
  EXPECT_TRUE(IsSameJson(json, R"({"account": "robot+deploy", "secret": "x9"})"));
}

TEST_F(RobotCommandsTest, CreateTakesLifetimesInManyUnits) {
  const std::pair<const char*, const char*> lifetimes[] = {
      {"720h", "2592000s"}, {"90m", "5400s"}, {"1s", "1s"}, {"36500d", "3153600000s"}};
  for (const auto& [text, lifetime] : lifetimes) {
    Administer({"robots", "create", "x", "--allow", "a:pull", "--expires", text},
               std::string(R"({"createRobot": {"name": "x", "lifetime": ")") + lifetime +
                   R"(", "scopes": [{"repositories": ["a"], "actions": ["pull"]}]}})",
               kSecret);
  }
}

TEST_F(RobotCommandsTest, CreateRejectsBadValues) {
  EXPECT_THAT(UsageError({"robots", "create", "x"}), HasSubstr("--allow is required"));
  EXPECT_THAT(UsageError({"robots", "create", "--allow", "a:pull"}), HasSubstr("NAME is required"));
  EXPECT_THAT(UsageError({"robots", "create", "x", "--allow"}), HasSubstr("--allow needs a value"));
  for (const char* bad : {"driftwood", ":pull", "a:", "a,:pull", "a:pull,"}) {
    EXPECT_THAT(UsageError({"robots", "create", "x", "--allow", bad}), AllOf(HasSubstr("--allow: "), HasSubstr(bad)));
  }
  for (const char* bad : {"0", "-1h", "30", "d", "1y", "inf", "99999999d"}) {
    EXPECT_THAT(UsageError({"robots", "create", "x", "--allow", "a:pull", "--expires", bad}),
                AllOf(HasSubstr("--expires: "), HasSubstr(bad)));
  }
}

TEST_F(RobotCommandsTest, RotateSecret) {
  EXPECT_THAT(
      Administer({"robots", "rotate-secret", "deploy"}, R"({"rotateRobotSecret": {"name": "deploy"}})", kSecret),
      HasSubstr("secret   x9\n"));
}

TEST_F(RobotCommandsTest, Delete) {
  EXPECT_EQ(Administer({"robots", "delete", "deploy"}, R"({"deleteRobot": {"name": "deploy"}})", R"({"done": {}})"),
            "deleted the robot deploy\n");
}

TEST_F(RobotCommandsTest, NeedsAName) {
  EXPECT_THAT(UsageError({"robots", "rotate-secret"}), HasSubstr("NAME is required"));
  EXPECT_THAT(UsageError({"robots", "delete"}), HasSubstr("NAME is required"));
  EXPECT_THAT(UsageError({"robots", "list", "--allow", "a:pull"}), HasSubstr("unknown option --allow"));
}

TEST_F(RobotCommandsTest, ReportsRefusals) {
  ExpectRefusalIsReported({"robots", "list"});
  ExpectRefusalIsReported({"robots", "create", "x", "--allow", "a:pull"});
  ExpectRefusalIsReported({"robots", "rotate-secret", "x"});
  ExpectRefusalIsReported({"robots", "delete", "x"});
}

}  // namespace
}  // namespace entrepot::ctl
