#include "services/auth/records/access_grant.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using policy::Action;
using ::testing::HasSubstr;

TEST(AccessGrantTest, AllowsItsActionsInItsRepositories) {
  ASSERT_OK_AND_ASSIGN(const AccessGrant grant, AccessGrant::Parse({"driftwood/**", "tools"}, {"pull", "push"}));
  EXPECT_TRUE(grant.Allows(Action::kPull, "driftwood/web"));
  EXPECT_TRUE(grant.Allows(Action::kPush, "tools"));
  EXPECT_FALSE(grant.Allows(Action::kDelete, "driftwood/web"));
  EXPECT_FALSE(grant.Allows(Action::kPull, "driftwood"));
  EXPECT_FALSE(grant.Allows(Action::kPull, "toolset"));
  EXPECT_TRUE(grant.AllowsSomewhere(Action::kPush));
  EXPECT_FALSE(grant.AllowsSomewhere(Action::kDelete));
  EXPECT_EQ(grant.repositories().size(), 2u);
}

TEST(AccessGrantTest, RefusesInvalidGrants) {
  const auto problem = [](std::vector<std::string> repositories, std::vector<std::string> actions) {
    const auto grant = AccessGrant::Parse(repositories, actions);
    EXPECT_THAT(grant, StatusIs(absl::StatusCode::kInvalidArgument));
    return std::string(grant.status().message());
  };
  EXPECT_THAT(problem({}, {"pull"}), HasSubstr("no repositories"));
  EXPECT_THAT(problem({"a"}, {}), HasSubstr("no actions"));
  EXPECT_THAT(problem({"a", "B"}, {"pull"}), HasSubstr("\"B\""));
  EXPECT_THAT(problem({"a"}, {"pull", "*"}), HasSubstr("\"*\" is not an action"));
}

}  // namespace
}  // namespace entrepot::auth
