#include "services/token/verification_key.h"

#include <string>

#include "boost/json/array.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"
#include "services/token/signing_key.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

using testing::HasSubstr;

// RFC 7517 appendix A.1, and RFC 8037 appendix A.2.
constexpr char kEcKey[] = R"({"kty":"EC","crv":"P-256",
    "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"})";
constexpr char kEd25519Key[] = R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
// RFC 7638 section 3.1.
constexpr char kRsaKey[] =
    R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR)"
    R"(XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d)"
    R"(0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-k)"
    R"(EgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})";

json::object Jwk(absl::string_view text) {
  return json::parse(json::string_view(text.data(), text.size())).as_object();
}

TEST(VerificationKeyTest, UsesTheThumbprintIfThereIsNoKid) {
  // RFC 8037 appendix A.3.
  EXPECT_EQ(VerificationKey::FromJwk(Jwk(kEd25519Key))->kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  json::object rsa = Jwk(kRsaKey);
  rsa.erase("kid");
  // RFC 7638 section 3.1.
  EXPECT_EQ(VerificationKey::FromJwk(rsa)->kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(VerificationKey::FromJwk(Jwk(kRsaKey))->kid(), "2011-04-29");
}

TEST(VerificationKeyTest, IsTheSameKeyAfterJson) {
  for (const char* const text : {kEcKey, kEd25519Key, kRsaKey}) {
    ASSERT_OK_AND_ASSIGN(const VerificationKey key, VerificationKey::FromJwk(Jwk(text)));
    ASSERT_OK_AND_ASSIGN(const VerificationKey again, VerificationKey::FromJwk(key.ToJwk()));
    EXPECT_EQ(again.kid(), key.kid());
    EXPECT_EQ(again.algorithm(), key.algorithm());
    EXPECT_EQ(again.ToJwk(), key.ToJwk());
    EXPECT_EQ(key.ToJwk().at("use").as_string(), "sig");
    for (const auto& member : Jwk(text)) EXPECT_EQ(key.ToJwk().at(member.key()), member.value()) << member.key();
  }
}

TEST(VerificationKeyTest, VerifiesTheExampleOfRfc8037) {
  ASSERT_OK_AND_ASSIGN(const VerificationKey key, VerificationKey::FromJwk(Jwk(kEd25519Key)));
  const std::string signature =
      "\x86\x0c\x98\xd2\x29\x7f\x30\x60\xa3\x3f\x42\x73\x96\x72\xd6\x1b\x53\xcf\x3a\xde\xfe\xd3\xd3\xc6\x72\xf3\x20"
      "\xdc\x02\x1b\x41\x1e\x9d\x59\xb8\x62\x8d\xc3\x51\xe2\x48\xb8\x8b\x29\x46\x8e\x0e\x41\x85\x5b\x0f\xb7\xd8\x3b"
      "\xb1\x5b\xe9\x02\xbf\xcc\xb8\xcd\x0a\x02";
  EXPECT_TRUE(key.Verify("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", signature));
  EXPECT_FALSE(key.Verify("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd", signature));
}

TEST(VerificationKeyTest, RefusesSignaturesInOtherFormats) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa, SignatureAlgorithm::kRs256}) {
    const SigningKey key = SigningKey::Generate(algorithm);
    const VerificationKey verifier = key.verification_key();
    const std::string good = key.Sign("text");
    ASSERT_TRUE(verifier.Verify("text", good));
    for (const std::string& bad :
         {std::string(), good + '\0', good.substr(1), good.substr(0, good.size() - 1), std::string(good.size(), '\0'),
          std::string(good.size(), '\xFF'), std::string(10'000, 'x')}) {
      EXPECT_FALSE(verifier.Verify("text", bad)) << ToString(algorithm) << " " << bad.size();
    }
    for (size_t i = 0; i < good.size(); ++i) {
      std::string flipped = good;
      flipped[i] ^= 1;
      EXPECT_FALSE(verifier.Verify("text", flipped)) << ToString(algorithm) << " byte " << i;
    }
  }
}

struct Refused {
  std::string name;
  absl::StatusCode code;
  std::string jwk;
  std::string problem;
};

TEST(VerificationKeyTest, ReportsProblemsOfAKey) {
  constexpr auto kBad = absl::StatusCode::kInvalidArgument;
  constexpr auto kOther = absl::StatusCode::kUnimplemented;
  const std::string ec = R"("kty":"EC","crv":"P-256")";
  const std::string point =
      R"("x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")";
  const Refused rows[] = {
      {"no type", kBad, "{}", "no member kty"},
      {"type is a number", kBad, R"({"kty":1})", "kty that is not a string"},
      {"a secret", kOther, R"({"kty":"oct","k":"c2VjcmV0"})", "has the type \"oct\""},
      {"P-384", kOther, R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})", "the curve \"P-384\""},
      {"X25519", kOther, R"({"kty":"OKP","crv":"X25519","x":"AA"})", "the curve \"X25519\""},
      {"for encryption", kOther, "{" + ec + "," + point + R"(,"use":"enc"})", "not for signatures"},
      {"for signing", kOther, "{" + ec + "," + point + R"(,"key_ops":["sign"]})", "not for verification"},
      {"another algorithm", kOther, "{" + ec + "," + point + R"(,"alg":"ES384"})", "is for \"ES384\", not ES256"},
      {"HS256", kOther, "{" + ec + "," + point + R"(,"alg":"HS256"})", "is for \"HS256\", not ES256"},
      {"key_ops is a string", kBad, "{" + ec + "," + point + R"(,"key_ops":"verify"})", "key_ops that is not an array"},
      {"private", kBad, "{" + ec + "," + point + R"(,"d":"AA"})", "private key"},
      {"kid is a number", kBad, "{" + ec + "," + point + R"(,"kid":1})", "kid that is not a string"},
      {"kid is empty", kBad, "{" + ec + "," + point + R"(,"kid":""})", "kid of 0 bytes"},
      {"no y", kBad, "{" + ec + R"(,"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"})", "no member y"},
      {"padding", kBad, "{" + ec + R"(,"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4=","y":"AA"})", "not base64url"},
      {"short", kBad, "{" + ec + R"(,"x":"AA","y":"AA"})", "coordinates of a wrong size"},
      {"off the curve", kBad,
       "{" + ec +
           R"(,"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyN"})",
       "not base64url"},
      {"off the curve", kBad,
       "{" + ec +
           R"(,"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyQ"})",
       "not a point on P-256"},
      {"infinity", kBad,
       "{" + ec +
           R"(,"x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})",
       "not a point on P-256"},
      {"short Ed25519", kBad, R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", "x of a wrong size"},
      {"512 bits", kBad, R"({"kty":"RSA","e":"AQAB","n":")" + std::string(88, '_') + R"("})", "less than 2048"},
      {"large", kBad, R"({"kty":"RSA","e":"AQAB","n":")" + std::string(40'000, '_') + R"("})", "too large"},
      {"large e", kBad, R"({"kty":"RSA","n":"AQAB","e":")" + std::string(400, '_') + R"("})", "too large"},
      {"e is 1", kBad, R"({"kty":"RSA","e":"AQ","n":")" + std::string(344, '_') + R"("})", "not an RSA key"},
      {"e is even", kBad, R"({"kty":"RSA","e":"Ag","n":")" + std::string(344, '_') + R"("})", "not an RSA key"},
  };
  for (const Refused& row : rows) {
    const auto key = VerificationKey::FromJwk(Jwk(row.jwk));
    EXPECT_THAT(key, StatusIs(row.code)) << row.name;
    EXPECT_THAT(std::string(key.status().message()), HasSubstr(row.problem)) << row.name;
  }
}

}  // namespace
}  // namespace entrepot::token
