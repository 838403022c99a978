#include "gateway/api/request/access_token.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

AccessToken Token(absl::string_view scopes) {
  token::RegistryClaims claims;
  claims.subject = "ann";
  claims.issued_at = absl::FromUnixSeconds(1000);
  claims.not_before = absl::FromUnixSeconds(1000);
  claims.expires_at = absl::FromUnixSeconds(1300);
  claims.access = ParseAccessScopes(scopes).value();
  return {claims, 7};
}

TEST(AccessTokenTest, GrantsTheActionsOfItsScopes) {
  const AccessToken token = Token("repository:a:pull repository:b:pull,push repository:c:* repository:d:delete");
  EXPECT_TRUE(token.Grants(Permission::kNone, ""));
  EXPECT_TRUE(token.Grants(Permission::kAnyToken, ""));
  EXPECT_TRUE(token.Grants(Permission::kPull, "a"));
  EXPECT_FALSE(token.Grants(Permission::kPush, "a"));
  EXPECT_FALSE(token.Grants(Permission::kDelete, "a"));
  EXPECT_TRUE(token.Grants(Permission::kPush, "b"));
  EXPECT_FALSE(token.Grants(Permission::kDelete, "b"));
  for (const Permission permission : {Permission::kPull, Permission::kPush, Permission::kDelete}) {
    EXPECT_TRUE(token.Grants(permission, "c"));
    EXPECT_FALSE(token.Grants(permission, ""));
    EXPECT_FALSE(token.Grants(permission, "e"));
  }
  EXPECT_FALSE(token.Grants(Permission::kPull, "d"));
  EXPECT_FALSE(token.Grants(Permission::kCatalog, ""));
  EXPECT_FALSE(token.Grants(Permission::kAdmin, ""));
}

TEST(AccessTokenTest, DistinguishesScopesOfTheRegistryFromRepositories) {
  const AccessToken repositories = Token("repository:catalog:* repository:administration:*");
  EXPECT_FALSE(repositories.Grants(Permission::kCatalog, "catalog"));
  EXPECT_FALSE(repositories.Grants(Permission::kAdmin, "administration"));
  const AccessToken registry = Token("registry:catalog:* registry:administration:*");
  EXPECT_TRUE(registry.Grants(Permission::kCatalog, ""));
  EXPECT_TRUE(registry.Grants(Permission::kAdmin, ""));
  EXPECT_FALSE(registry.Grants(Permission::kPull, "catalog"));
}

TEST(AccessTokenTest, ListsGrantedActionsAndRepositories) {
  const AccessToken token = Token("repository:a:push,pull repository:b:push repository:c:* registry:catalog:*");
  EXPECT_EQ(token.ActionsOn("a"), (std::vector<std::string>{"pull", "push"}));
  EXPECT_EQ(token.ActionsOn("catalog"), std::vector<std::string>());
  EXPECT_EQ(token.ReadableRepositories(10), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(token.ReadableRepositories(1), std::vector<std::string>{"a"});
  EXPECT_EQ(token.caller().account, "ann");
  EXPECT_EQ(token.caller().token_issued_at, absl::FromUnixSeconds(1000));
}

TEST(AccessTokenTest, ExplainsWhatWasRequestedInVain) {
  token::RegistryClaims claims;
  claims.access = ParseAccessScopes("repository:a:pull repository:b:").value();
  claims.denied = {{AccessScope::Parse("repository:a:push").value(), "only pull"},
                   {AccessScope::Parse("repository:b:pull,push").value(), "no rule"},
                   {AccessScope::Parse("registry:administration:*").value(), "no administrator"}};
  const AccessToken token(claims, 7);
  EXPECT_EQ(token.WhyDenied(Permission::kPush, "a"), "only pull");
  EXPECT_EQ(token.WhyDenied(Permission::kPull, "b"), "no rule");
  EXPECT_EQ(token.WhyDenied(Permission::kAdmin, ""), "no administrator");
  EXPECT_EQ(token.WhyDenied(Permission::kPull, "a"), "");
  EXPECT_EQ(token.WhyDenied(Permission::kDelete, "a"), "");
  EXPECT_EQ(token.WhyDenied(Permission::kPush, "c"), "");
  EXPECT_EQ(token.WhyDenied(Permission::kCatalog, ""), "");
  EXPECT_EQ(token.WhyDenied(Permission::kAnyToken, ""), "");
  // What is denied grants nothing.
  EXPECT_FALSE(token.Grants(Permission::kPush, "a"));
  EXPECT_FALSE(token.Names("administration"));
}

TEST(AccessTokenTest, IsValidBetweenItsTimesWithLeeway) {
  const AccessToken token = Token("");
  EXPECT_FALSE(token.IsValidAt(absl::FromUnixSeconds(939)));
  EXPECT_TRUE(token.IsValidAt(absl::FromUnixSeconds(940)));
  EXPECT_TRUE(token.IsValidAt(absl::FromUnixSeconds(1360)));
  EXPECT_FALSE(token.IsValidAt(absl::FromUnixSeconds(1361)));
}

}  // namespace
}  // namespace entrepot::gateway::api
