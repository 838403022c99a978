#include "services/auth/accounts/permissions.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using policy::Action;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PermissionsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(policy_, policy::Policy::Parse(R"(
administrators: [admin]
rules:
  - {subjects: [authenticated], repositories: ["shared/**"], actions: [pull]}
  - {subjects: [robot+named], repositories: [named], actions: ["*"]}
)",
                                                        "policy.yaml"));
    ASSERT_OK_AND_ASSIGN(const AccessGrant pulls, AccessGrant::Parse({"app/*", "shared/**"}, {"pull"}));
    ASSERT_OK_AND_ASSIGN(const AccessGrant pushes, AccessGrant::Parse({"app/web"}, {"push"}));
    robot_ = {.subject = {.account = "robot+deploy", .groups = {}}, .grants = {pulls, pushes}};
  }

  static Account Named(const std::string& name) { return {.subject = {.account = name, .groups = {}}}; }
  policy::Decision Asked(const Account& account, Action action, const std::string& repository) const {
    return Decide(*policy_, account, action, RepositoryName::Parse(repository).value());
  }
  std::string Granted(const Account& account, const std::string& scopes) const {
    return JoinAccessScopes(GrantScopes(*policy_, account, ParseAccessScopes(scopes).value()));
  }

  std::shared_ptr<const policy::Policy> policy_;
  Account robot_;
};

TEST_F(PermissionsTest, ThePolicyOrAScopeAllows) {
  EXPECT_EQ(Asked(robot_, Action::kPull, "app/web").reason, "scope 1 of robot+deploy allows it");
  EXPECT_EQ(Asked(robot_, Action::kPush, "app/web").reason, "scope 2 of robot+deploy allows it");
  EXPECT_TRUE(Asked(robot_, Action::kPull, "shared/base").allowed);
  EXPECT_FALSE(Asked(robot_, Action::kPush, "app/db").allowed);
  EXPECT_FALSE(Asked(robot_, Action::kDelete, "app/web").allowed);
  EXPECT_TRUE(Asked(Named("robot+named"), Action::kDelete, "named").allowed);
  EXPECT_FALSE(Asked(Named(""), Action::kPull, "shared/base").allowed);
}

TEST_F(PermissionsTest, ADenialShowsWhatThePolicyAndTheScopesAllow) {
  EXPECT_EQ(Asked(robot_, Action::kDelete, "app/web").reason,
            "no rule of policy.yaml allows it, and the scopes of robot+deploy allow only pull and push");
  EXPECT_EQ(Asked(robot_, Action::kDelete, "other").reason,
            "no rule of policy.yaml allows it, and no scope of robot+deploy does");
  EXPECT_EQ(Asked(robot_, Action::kPush, "shared/base").reason,
            "rule 1 of policy.yaml allows only pull, and the scopes of robot+deploy allow only pull");
  EXPECT_EQ(Asked(Named("alice"), Action::kPush, "shared/base").reason, "rule 1 of policy.yaml allows only pull");
}

TEST_F(PermissionsTest, GrantsTheAllowedPartOfTheRequest) {
  EXPECT_EQ(Granted(robot_, "repository:app/web:delete,pull,push"), "repository:app/web:pull,push");
  EXPECT_EQ(Granted(robot_, "repository:app/web:*"), "repository:app/web:pull,push");
  EXPECT_EQ(Granted(Named("robot+named"), "repository:named:*"), "repository:named:*");
  // In the token, without actions.
  EXPECT_EQ(Granted(robot_, "repository:other:pull"), "repository:other:");
  EXPECT_EQ(Granted(robot_, "repository:Other:pull"), "");
  EXPECT_EQ(Granted(robot_, "plugin:app/web:pull"), "");
}

TEST_F(PermissionsTest, ScopesOfTheRegistry) {
  EXPECT_EQ(Granted(robot_, "registry:catalog:*"), "registry:catalog:*");
  EXPECT_EQ(Granted(Named(""), "registry:catalog:*"), "");
  EXPECT_EQ(Granted(Named("admin"), "registry:administration:*"), "registry:administration:*");
  EXPECT_EQ(Granted(robot_, "registry:administration:*"), "");
  EXPECT_EQ(Granted(Named("admin"), "registry:administration:pull"), "");
  EXPECT_EQ(Granted(Named("admin"), "registry:something:*"), "");
}

TEST_F(PermissionsTest, ListsReadableRepositoriesOnce) {
  EXPECT_THAT(ReadableRepositories(*policy_, robot_), ElementsAre("app/*", "shared/**"));
  EXPECT_THAT(ReadableRepositories(*policy_, Named("alice")), ElementsAre("shared/**"));
  EXPECT_THAT(ReadableRepositories(*policy_, Named("")), IsEmpty());
}

}  // namespace
}  // namespace entrepot::auth
