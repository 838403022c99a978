#include "services/auth/identity/claim_rules.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace entrepot::auth {
namespace {

using Rule = config::v1::IdentityProvider::ClaimRule;

boost::json::object Claims(const char* text) { return boost::json::parse(text).as_object(); }

Rule ParseRule(const std::string& text) {
  Rule rule;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &rule));
  return rule;
}

TEST(FindClaimTest, FindsClaimsWithinClaims) {
  const boost::json::object claims = Claims(
      R"({"sub":"a","kubernetes.io":{"namespace":"ci","serviceaccount":{"name":"runner"}},"https://x.example/role":"r",
          "a":{"b.c":{"d":"deep"}}})");
  EXPECT_EQ(FindClaim(claims, "sub"), "a");
  EXPECT_EQ(FindClaim(claims, "kubernetes.io.namespace"), "ci");
  EXPECT_EQ(FindClaim(claims, "kubernetes.io.serviceaccount.name"), "runner");
  EXPECT_EQ(FindClaim(claims, "https://x.example/role"), "r");
  EXPECT_EQ(FindClaim(claims, "a.b.c.d"), "deep");
  for (const char* const name :
       {"", ".", "su", "sub.", ".sub", "sub.a", "kubernetes.io", "kubernetes.io.", "namespace",
        "kubernetes.io.serviceaccount", "kubernetes.io.serviceaccount.name.x", "a.b", "a..b.c.d"}) {
    EXPECT_EQ(FindClaim(claims, name), std::nullopt) << name;
  }
}

TEST(FindClaimTest, FindsNothingIfANameIsAmbiguous) {
  EXPECT_EQ(FindClaim(Claims(R"({"a.b":"x","a":{"b":"y"}})"), "a.b"), std::nullopt);
  EXPECT_EQ(FindClaim(Claims(R"({"a.b":{"c":"x"},"a":{"b.c":"x"}})"), "a.b.c"), std::nullopt);
  EXPECT_EQ(FindClaim(Claims(R"({"a.b":1,"a":{"b":"y"}})"), "a.b"), std::nullopt);
  EXPECT_EQ(FindClaim(Claims(R"({"a.b":"x","a":{"c":"y"}})"), "a.b"), "x");
  EXPECT_EQ(FindClaim(Claims(R"({"":{"":{"":"x"}}})"), ".."), "x");
}

TEST(FindClaimTest, FindsStringsOnly) {
  const boost::json::object claims = Claims(R"({"n":1,"b":true,"z":null,"l":["x"],"o":{"x":"y"},"e":""})");
  for (const char* const name : {"n", "b", "z", "l", "o"}) EXPECT_EQ(FindClaim(claims, name), std::nullopt) << name;
  EXPECT_EQ(FindClaim(claims, "e"), "");
}

TEST(FindClaimTest, IsFastForHostileNames) {
  // Each level can be reached by "a" and by "a.a".
  std::string text = R"({"x":1})";
  for (int i = 0; i < 10; ++i) text = absl::StrCat(R"({"a":)", text, R"(,"a.a":)", text, "}");
  std::string name = "a";
  for (int i = 0; i < 10'000; ++i) name += ".a";
  EXPECT_EQ(FindClaim(Claims(text.c_str()), name), std::nullopt);
}

TEST(MeetsClaimsTest, NeedsAllClaims) {
  const Rule rule = ParseRule(R"pb(
    claims { key: "repository" value: "driftwood/*" }
    claims { key: "ref" value: "refs/heads/main" }
  )pb");
  EXPECT_TRUE(MeetsClaims(rule, Claims(R"({"repository":"driftwood/web","ref":"refs/heads/main"})")));
  EXPECT_FALSE(MeetsClaims(rule, Claims(R"({"repository":"driftwood/web","ref":"refs/heads/main2"})")));
  EXPECT_FALSE(MeetsClaims(rule, Claims(R"({"repository":"driftwood/web"})")));
  EXPECT_FALSE(MeetsClaims(rule, Claims(R"({"repository":"evil/driftwood/web","ref":"refs/heads/main"})")));
  EXPECT_FALSE(MeetsClaims(rule, Claims("{}")));
}

TEST(MeetsClaimsTest, AStarNeedsTheClaimToExist) {
  const Rule rule = ParseRule(R"pb(claims { key: "a" value: "*" })pb");
  EXPECT_TRUE(MeetsClaims(rule, Claims(R"({"a":""})")));
  EXPECT_FALSE(MeetsClaims(rule, Claims(R"({"b":""})")));
}

TEST(MeetsClaimsTest, NoTokenMeetsARuleWithoutClaims) { EXPECT_FALSE(MeetsClaims(Rule(), Claims(R"({"sub":"a"})"))); }

}  // namespace
}  // namespace entrepot::auth
