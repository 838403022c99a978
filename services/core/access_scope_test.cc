#include "services/core/access_scope.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(AccessScopeTest, ReadsTypeNameAndActions) {
  ASSERT_OK_AND_ASSIGN(const AccessScope scope, AccessScope::Parse("repository:driftwood/web:push,pull"));
  EXPECT_EQ(scope.type, "repository");
  EXPECT_EQ(scope.name, "driftwood/web");
  EXPECT_THAT(scope.actions, ElementsAre("pull", "push"));
  EXPECT_EQ(scope.ToString(), "repository:driftwood/web:pull,push");
}

TEST(AccessScopeTest, SplitsAtTheFirstAndTheLastColon) {
  ASSERT_OK_AND_ASSIGN(const AccessScope scope, AccessScope::Parse("repository:host.example:5000/a/b:pull"));
  EXPECT_EQ(scope.name, "host.example:5000/a/b");
  EXPECT_EQ(scope.ToString(), "repository:host.example:5000/a/b:pull");
}

TEST(AccessScopeTest, DropsTheClass) {
  ASSERT_OK_AND_ASSIGN(const AccessScope scope, AccessScope::Parse("repository(plugin):a/b:pull"));
  EXPECT_EQ(scope.type, "repository");
  EXPECT_EQ(scope.ToString(), "repository:a/b:pull");
}

TEST(AccessScopeTest, AllowsNoActionsAndTheSameOneTwice) {
  ASSERT_OK_AND_ASSIGN(const AccessScope none, AccessScope::Parse("repository:a:"));
  EXPECT_THAT(none.actions, IsEmpty());
  EXPECT_EQ(none.ToString(), "repository:a:");
  ASSERT_OK_AND_ASSIGN(const AccessScope twice, AccessScope::Parse("repository:a:pull,push,,pull,"));
  EXPECT_THAT(twice.actions, ElementsAre("pull", "push"));
}

TEST(AccessScopeTest, AllowsListedActionsOrAllByAStar) {
  ASSERT_OK_AND_ASSIGN(const AccessScope pull, AccessScope::Parse("repository:a:pull"));
  EXPECT_TRUE(pull.Allows("pull"));
  EXPECT_FALSE(pull.Allows("push"));
  EXPECT_FALSE(pull.Allows("pul"));
  EXPECT_FALSE(pull.Allows("*"));
  ASSERT_OK_AND_ASSIGN(const AccessScope all, AccessScope::Parse("repository:a:*"));
  EXPECT_TRUE(all.Allows("pull"));
  EXPECT_TRUE(all.Allows("delete"));
}

struct Refused {
  std::string text;
  std::string problem;
};

TEST(AccessScopeTest, ReportsTheError) {
  const Refused rows[] = {
      {"", "is not of the form"},
      {"repository", "is not of the form"},
      {"repository:a", "is not of the form"},
      {":a:pull", "does not start with a type"},
      {"(plugin):a:pull", "does not start with a type"},
      {"repository(:a:pull", "does not start with a type"},
      {"repository():a:pull", "does not start with a type"},
      {"repository(plugin)x:a:pull", "does not start with a type"},
      {"repository)plugin(:a:pull", "does not start with a type"},
      {"repository((plugin)):a:pull", "does not start with a type"},
      {"repository::pull", "has no name"},
      {"repository:a b:pull", "contains a blank"},
      {"repository:a\":pull", "contains a blank, a quote"},
      {"repository:a\\:pull", "a backslash"},
      {"repository:a\r\nX: y:pull", "not printable ASCII"},
      {"repository:\xC3\xA9:pull", "not printable ASCII"},
      {std::string("repository:a\0:pull", 18), "not printable ASCII"},
      {absl::StrCat("repository:", std::string(1024, 'a'), ":pull"), "longer than 1024 bytes"},
  };
  for (const Refused& row : rows) {
    const auto scope = AccessScope::Parse(row.text);
    EXPECT_THAT(scope, StatusIs(absl::StatusCode::kInvalidArgument)) << row.text;
    EXPECT_THAT(std::string(scope.status().message()), HasSubstr(row.problem)) << row.text;
  }
}

TEST(AccessScopesTest, JoinsScopesOfOneTypeAndName) {
  ASSERT_OK_AND_ASSIGN(
      const std::vector<AccessScope> scopes,
      ParseAccessScopes(" repository:a:push  registry:catalog:* repository:b:pull repository:a:pull,push "));
  EXPECT_EQ(JoinAccessScopes(scopes), "repository:a:pull,push registry:catalog:* repository:b:pull");
  EXPECT_THAT(ParseAccessScopes(JoinAccessScopes(scopes)), IsOkAndHolds(scopes));
}

TEST(AccessScopesTest, AllowsAnEmptyList) {
  EXPECT_THAT(ParseAccessScopes(""), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(ParseAccessScopes("  "), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(JoinAccessScopes({}), "");
}

TEST(AccessScopesTest, RefusesTooManyScopesOrAnInvalidOne) {
  std::string text;
  for (uint32_t i = 0; i < kAccessScopesMax; ++i) absl::StrAppend(&text, "repository:a:pull ");
  EXPECT_OK(ParseAccessScopes(text));
  EXPECT_THAT(ParseAccessScopes(text + "repository:a:pull"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseAccessScopes("repository:a:pull\trepository:b:pull"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseAccessScopes("repository:a:pull b"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot
