#include "gateway/api/request/verified_token.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

VerifiedToken Token(absl::string_view scopes) {
  token::RegistryClaims claims;
  claims.subject = "ann";
  claims.issued_at = absl::FromUnixSeconds(1000);
  claims.not_before = absl::FromUnixSeconds(1000);
  claims.expires_at = absl::FromUnixSeconds(1300);
  claims.access = ParseAccessScopes(scopes).value();
  return {claims, 7};
}

TEST(VerifiedTokenTest, GrantsWhatItsScopesName) {
  const VerifiedToken token = Token("repository:a:pull repository:b:pull,push repository:c:* repository:d:delete");
  EXPECT_TRUE(token.Grants(Need::kNothing, ""));
  EXPECT_TRUE(token.Grants(Need::kAnyToken, ""));
  EXPECT_TRUE(token.Grants(Need::kPull, "a"));
  EXPECT_FALSE(token.Grants(Need::kPush, "a"));
  EXPECT_FALSE(token.Grants(Need::kDelete, "a"));
  EXPECT_TRUE(token.Grants(Need::kPush, "b"));
  EXPECT_FALSE(token.Grants(Need::kDelete, "b"));
  for (const Need need : {Need::kPull, Need::kPush, Need::kDelete}) {
    EXPECT_TRUE(token.Grants(need, "c"));
    EXPECT_FALSE(token.Grants(need, ""));
    EXPECT_FALSE(token.Grants(need, "e"));
  }
  EXPECT_FALSE(token.Grants(Need::kPull, "d"));
  EXPECT_FALSE(token.Grants(Need::kCatalog, ""));
  EXPECT_FALSE(token.Grants(Need::kAdminister, ""));
}

TEST(VerifiedTokenTest, TellsTheRegistrysScopesFromRepositories) {
  const VerifiedToken repositories = Token("repository:catalog:* repository:administration:*");
  EXPECT_FALSE(repositories.Grants(Need::kCatalog, "catalog"));
  EXPECT_FALSE(repositories.Grants(Need::kAdminister, "administration"));
  const VerifiedToken registry = Token("registry:catalog:* registry:administration:*");
  EXPECT_TRUE(registry.Grants(Need::kCatalog, ""));
  EXPECT_TRUE(registry.Grants(Need::kAdminister, ""));
  EXPECT_FALSE(registry.Grants(Need::kPull, "catalog"));
}

TEST(VerifiedTokenTest, ListsWhatItGrants) {
  const VerifiedToken token = Token("repository:a:push,pull repository:b:push repository:c:* registry:catalog:*");
  EXPECT_EQ(token.ActionsOn("a"), (std::vector<std::string>{"pull", "push"}));
  EXPECT_EQ(token.ActionsOn("catalog"), std::vector<std::string>());
  EXPECT_EQ(token.ReadableRepositories(10), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(token.ReadableRepositories(1), std::vector<std::string>{"a"});
  EXPECT_EQ(token.caller().account, "ann");
  EXPECT_EQ(token.caller().token_issued_at, absl::FromUnixSeconds(1000));
}

TEST(VerifiedTokenTest, IsValidFromItsBeginningToItsEndGiveOrTakeTheLeeway) {
  const VerifiedToken token = Token("");
  EXPECT_FALSE(token.IsValidAt(absl::FromUnixSeconds(939)));
  EXPECT_TRUE(token.IsValidAt(absl::FromUnixSeconds(940)));
  EXPECT_TRUE(token.IsValidAt(absl::FromUnixSeconds(1360)));
  EXPECT_FALSE(token.IsValidAt(absl::FromUnixSeconds(1361)));
}

}  // namespace
}  // namespace entrepot::gateway::api
