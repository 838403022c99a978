#include "services/token/key_set.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"
#include "services/token/signing_key.h"

namespace entrepot::token {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string JwkOf(const SigningKey& key) { return boost::json::serialize(key.verification_key().ToJwk()); }

TEST(KeySetTest, FindsKeysByTheirIds) {
  const SigningKey first = SigningKey::Generate(SignatureAlgorithm::kEs256);
  const SigningKey second = SigningKey::Generate(SignatureAlgorithm::kEdDsa);
  const KeySet keys({first.verification_key(), second.verification_key()});
  ASSERT_NE(keys.Find(first.kid()), nullptr);
  EXPECT_EQ(keys.Find(first.kid())->kid(), first.kid());
  EXPECT_EQ(keys.Find(second.kid())->algorithm(), SignatureAlgorithm::kEdDsa);
  EXPECT_EQ(keys.Find(""), nullptr);
  EXPECT_EQ(keys.Find("../../etc/passwd"), nullptr);
  EXPECT_EQ(keys.Only(), nullptr);
  EXPECT_FALSE(keys.empty());
  EXPECT_TRUE(KeySet().empty());
  EXPECT_EQ(KeySet().Only(), nullptr);
}

TEST(KeySetTest, IsTheSameAfterJson) {
  const SigningKey first = SigningKey::Generate(SignatureAlgorithm::kEs256);
  const SigningKey second = SigningKey::Generate(SignatureAlgorithm::kRs256);
  const KeySet keys({first.verification_key(), second.verification_key()});
  ASSERT_OK_AND_ASSIGN(const KeySet again, KeySet::Parse(keys.ToJson()));
  EXPECT_EQ(again.ToJson(), keys.ToJson());
  ASSERT_NE(again.Find(second.kid()), nullptr);
  EXPECT_TRUE(again.Find(second.kid())->Verify("text", second.Sign("text")));
}

TEST(KeySetTest, ContainsNoPrivateKey) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa, SignatureAlgorithm::kRs256}) {
    const std::string text = KeySet({SigningKey::Generate(algorithm).verification_key()}).ToJson();
    for (const char* const name : {"\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""}) {
      EXPECT_THAT(text, Not(HasSubstr(name)));
    }
  }
}

TEST(KeySetTest, LeavesOutKeysOfOtherTypesAndUses) {
  const SigningKey key = SigningKey::Generate(SignatureAlgorithm::kEs256);
  ASSERT_OK_AND_ASSIGN(const KeySet keys,
                       KeySet::Parse(absl::StrCat(R"({"keys":[{"kty":"oct","kid":"s","k":"AA"},)",
                                                  R"({"kty":"RSA","kid":"e","use":"enc","n":"AA","e":"AQAB"},)",
                                                  JwkOf(key), R"(,{"kty":"EC","crv":"P-521","kid":"t"}],"more":1})")));
  ASSERT_NE(keys.Only(), nullptr);
  EXPECT_EQ(keys.Only()->kid(), key.kid());
}

TEST(KeySetTest, AllowsAnEmptySet) {
  ASSERT_OK_AND_ASSIGN(const KeySet keys, KeySet::Parse(R"({"keys":[]})"));
  EXPECT_TRUE(keys.empty());
}

struct Refused {
  std::string text;
  std::string problem;
};

TEST(KeySetTest, ReportsProblems) {
  const std::string jwk = JwkOf(SigningKey::Generate(SignatureAlgorithm::kEs256));
  std::string many = R"({"keys":[{"kty":"oct"})";
  for (int i = 0; i < 100; ++i) many += R"(,{"kty":"oct"})";
  const Refused rows[] = {
      {"", "not well-formed JSON"},
      {"[]", "not a JSON Web Key Set"},
      {"{}", "not a JSON Web Key Set"},
      {R"({"keys":{}})", "not a JSON Web Key Set"},
      {jwk, "not a JSON Web Key Set"},
      {R"({"keys":[],"keys":[]})", "the key \"keys\" occurs twice"},
      {R"({"keys":[1]})", "keys[0]: not an object"},
      {absl::StrCat("{\"keys\":[", jwk, ",", jwk, "]}"), "keys[1]: the kid \""},
      {absl::StrCat("{\"keys\":[", jwk, ",{\"kty\":\"EC\"}]}"), "keys[1]: the JSON Web Key has no member crv"},
      {many + "]}", "more than 100 keys"},
  };
  for (const Refused& row : rows) {
    const auto keys = KeySet::Parse(row.text);
    EXPECT_THAT(keys, StatusIs(absl::StatusCode::kInvalidArgument)) << row.text;
    EXPECT_THAT(std::string(keys.status().message()), HasSubstr(row.problem)) << row.text;
  }
}

}  // namespace
}  // namespace entrepot::token
