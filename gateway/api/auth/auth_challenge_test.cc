#include "gateway/api/auth/auth_challenge.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(BearerChallengeTest, OmitsEmptyParameters) {
  EXPECT_EQ(ToHeaderValue({"https://r/token", "s", "", ""}), "Bearer realm=\"https://r/token\",service=\"s\"");
  EXPECT_EQ(ToHeaderValue({"https://r/token", "s", "repository:a:pull", "invalid_token"}),
            "Bearer realm=\"https://r/token\",service=\"s\",scope=\"repository:a:pull\",error=\"invalid_token\"");
}

TEST(BearerChallengeTest, DescribesAnErrorWithoutDoubleQuotes) {
  EXPECT_EQ(ToHeaderValue({"https://r/token", "s", "", "insufficient_scope", "account \"a\": no rule, \xc3\xbc\r\n"}),
            "Bearer realm=\"https://r/token\",service=\"s\",error=\"insufficient_scope\","
            "error_description=\"account 'a': no rule, ????\"");
}

TEST(BearerChallengeTest, StaysOneHeaderValueWithAnyParts) {
  EXPECT_EQ(ToHeaderValue({"http://a\"b\\c\r\nX: y/token", "s\x01\xff", "", ""}),
            "Bearer realm=\"http://a\\\"b\\\\c??X: y/token\",service=\"s??\"");
}

TEST(RequiredScopeTest, IncludesPullInPush) {
  EXPECT_EQ(RequiredScope(Permission::kNone, ""), "");
  EXPECT_EQ(RequiredScope(Permission::kAnyToken, ""), "");
  EXPECT_EQ(RequiredScope(Permission::kPull, "a/b"), "repository:a/b:pull");
  EXPECT_EQ(RequiredScope(Permission::kPush, "a/b"), "repository:a/b:pull,push");
  EXPECT_EQ(RequiredScope(Permission::kDelete, "a/b"), "repository:a/b:delete");
  EXPECT_EQ(RequiredScope(Permission::kCatalog, ""), "registry:catalog:*");
  EXPECT_EQ(RequiredScope(Permission::kAdmin, ""), "registry:administration:*");
}

TEST(BaseUrlTest, ComesFromTheRequestUnlessConfigured) {
  http::Request request;
  EXPECT_EQ(BaseUrl("", request), "http://localhost");
  request.fields.push_back({"Host", "r.example:5000"});
  EXPECT_EQ(BaseUrl("", request), "http://r.example:5000");
  request.is_tls = true;
  EXPECT_EQ(BaseUrl("", request), "https://r.example:5000");
  EXPECT_EQ(BaseUrl("https://public.example/registry/", request), "https://public.example/registry");
}

}  // namespace
}  // namespace entrepot::gateway::api
