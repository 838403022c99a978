#include "services/token/registry_token.h"

#include <string>
#include <utility>
#include <vector>

#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"
#include "services/token/json_web_token.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;

const ExpectedToken kExpected{.issuer = "entrepot", .audience = "registry.example"};

absl::Time Now() { return absl::FromUnixSeconds(1'700'000'000); }

const SigningKey& Key() {
  static const auto* const key = new SigningKey(SigningKey::Generate(SignatureAlgorithm::kEs256));
  return *key;
}
const KeySet& Keys() {
  static const auto* const keys = new KeySet({Key().verification_key()});
  return *keys;
}

RegistryClaims Claims() {
  return {.issuer = "entrepot",
          .subject = "ci",
          .groups = {"builders"},
          .audience = "registry.example",
          .issued_at = Now(),
          .not_before = Now(),
          .expires_at = Now() + absl::Minutes(5),
          .id = "1",
          .access = {AccessScope::Parse("repository:driftwood/web:pull,push").value(),
                     AccessScope::Parse("registry:catalog:*").value()}};
}

// The claims as JSON.
json::object Payload() { return VerifyClaims(IssueRegistryToken(Key(), Claims()), Keys()).value(); }

absl::Status Verify(const json::object& payload, absl::Time now = Now()) {
  return VerifyRegistryToken(SignClaims(Key(), payload), Keys(), kExpected, now).status();
}

TEST(RegistryTokenTest, HasTheIssuedClaims) {
  ASSERT_OK_AND_ASSIGN(const RegistryClaims claims,
                       VerifyRegistryToken(IssueRegistryToken(Key(), Claims()), Keys(), kExpected, Now()));
  EXPECT_EQ(claims.issuer, "entrepot");
  EXPECT_EQ(claims.subject, "ci");
  EXPECT_EQ(claims.groups, Claims().groups);
  EXPECT_EQ(claims.audience, "registry.example");
  EXPECT_EQ(claims.issued_at, Now());
  EXPECT_EQ(claims.not_before, Now());
  EXPECT_EQ(claims.expires_at, Now() + absl::Minutes(5));
  EXPECT_EQ(claims.id, "1");
  EXPECT_EQ(claims.access, Claims().access);
  EXPECT_THAT(claims.denied, IsEmpty());
}

TEST(RegistryTokenTest, HasTheClaimsOfTheSpecification) {
  EXPECT_EQ(json::serialize(Payload()),
            R"({"iss":"entrepot","sub":"ci","aud":"registry.example","exp":1700000300,"nbf":1700000000,)"
            R"("iat":1700000000,"jti":"1","access":[)"
            R"({"type":"repository","name":"driftwood/web","actions":["pull","push"]},)"
            R"({"type":"registry","name":"catalog","actions":["*"]}],"groups":["builders"]})");
}

TEST(RegistryTokenTest, HasTheScopesThatWereDenied) {
  RegistryClaims claims = Claims();
  claims.denied = {{AccessScope::Parse("repository:secret:pull,push").value(), "no rule of policy.yaml allows it"}};
  const std::string token = IssueRegistryToken(Key(), claims);
  EXPECT_EQ(json::serialize(VerifyClaims(token, Keys()).value().at("denied")),
            R"([{"type":"repository","name":"secret","actions":["pull","push"],)"
            R"("reason":"no rule of policy.yaml allows it"}])");
  ASSERT_OK_AND_ASSIGN(const RegistryClaims read, VerifyRegistryToken(token, Keys(), kExpected, Now()));
  EXPECT_EQ(read.denied, claims.denied);
  EXPECT_EQ(read.access, claims.access);
}

TEST(RegistryTokenTest, MayBeAnonymousAndGrantNothing) {
  RegistryClaims claims = Claims();
  claims.subject = "";
  claims.access = {};
  ASSERT_OK_AND_ASSIGN(const RegistryClaims read,
                       VerifyRegistryToken(IssueRegistryToken(Key(), claims), Keys(), kExpected, Now()));
  EXPECT_EQ(read.subject, "");
  EXPECT_THAT(read.access, IsEmpty());
}

TEST(RegistryTokenTest, IsShort) {
  RegistryClaims claims = Claims();
  claims.id = std::string(22, 'x');
  claims.access.resize(1);
  EXPECT_THAT(IssueRegistryToken(Key(), claims).size(), Lt(600u));
}

TEST(RegistryTokenTest, CutsTimesToSeconds) {
  RegistryClaims claims = Claims();
  claims.issued_at = Now() + absl::Milliseconds(900);
  ASSERT_OK_AND_ASSIGN(const RegistryClaims read,
                       VerifyRegistryToken(IssueRegistryToken(Key(), claims), Keys(), kExpected, Now()));
  EXPECT_EQ(read.issued_at, Now());
}

TEST(RegistryTokenTest, IsValidFromNotBeforeToExpiryWithLeeway) {
  const json::object payload = Payload();
  const absl::Time end = Now() + absl::Minutes(5);
  EXPECT_OK(Verify(payload, end + absl::Seconds(59)));
  EXPECT_OK(Verify(payload, Now() - absl::Seconds(60)));
  EXPECT_THAT(Verify(payload, end + absl::Seconds(60)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(Verify(payload, Now() - absl::Seconds(61)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(Verify(payload, Now() + absl::Hours(24)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(Verify(payload, Now() - absl::Hours(24)), IsOciError(OciErrorCode::kUnauthorized));
}

TEST(RegistryTokenTest, NeedsEveryClaim) {
  for (const char* const name : {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"}) {
    json::object payload = Payload();
    ASSERT_EQ(payload.erase(name), 1u);
    const absl::Status status = Verify(payload);
    EXPECT_THAT(status, IsOciError(OciErrorCode::kUnauthorized)) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string("has no claim ") + name));
  }
}

struct Changed {
  std::string name;
  json::value value;
  std::string problem;
};

TEST(RegistryTokenTest, RefusesClaimsOfOtherTypesAndValues) {
  const Changed rows[] = {
      {"iss", "somebody", "another issuer"},
      {"iss", "ENTREPOT", "another issuer"},
      {"iss", nullptr, "iss that is not a string"},
      {"aud", "other.example", "another audience"},
      {"aud", "", "another audience"},
      {"aud", json::array{"registry.example"}, "aud that is not a string"},
      {"sub", 1, "sub that is not a string"},
      {"jti", 1, "jti that is not a string"},
      {"exp", "1700000300", "exp that is not a time"},
      {"exp", 1699999939.5, "expired"},
      {"exp", 1e300, "exp that is not a time"},
      {"exp", 253402300799.5, "exp that is not a time"},
      {"exp", -0.5, "exp that is not a time"},
      {"exp", true, "exp that is not a time"},
      {"exp", nullptr, "exp that is not a time"},
      {"exp", -1, "exp that is not a time"},
      {"exp", INT64_MAX, "exp that is not a time"},
      {"exp", uint64_t{1} << 63, "exp that is not a time"},
      {"exp", 0, "expired"},
      {"nbf", 1700000061, "not valid yet"},
      {"nbf", 1700000060.5, "not valid yet"},
      {"nbf", "0", "nbf that is not a time"},
      {"iat", 1700000061, "issued in the future"},
      {"iat", 1.70000007e9, "issued in the future"},
      {"iat", json::array(), "iat that is not a time"},
      {"access", nullptr, "access that is an array"},
      {"access", "repository:a:pull", "access that is an array"},
      {"access", {"repository:a:pull"}, "access that is not an object"},
      {"access", {json::object{{"name", "a"}, {"actions", json::array()}}}, "no claim type"},
      {"access", {json::object{{"type", "repository"}, {"actions", json::array()}}}, "no claim name"},
      {"groups", "builders", "no array of groups"},
      {"groups", json::array{1}, "value in its groups that is not a string"},
      {"access", {json::object{{"type", "repository"}, {"name", "a"}}}, "no array of actions"},
      {"access", {json::object{{"type", "repository"}, {"name", "a"}, {"actions", "pull"}}}, "no array of actions"},
      {"access",
       {json::object{{"type", "repository"}, {"name", "a"}, {"actions", {1}}}},
       "value in its actions that is not a string"},
      {"access", json::array(10'001, json::object()), "more than 10000"},
  };
  for (const Changed& row : rows) {
    json::object payload = Payload();
    payload[row.name] = row.value;
    const absl::Status status = Verify(payload);
    EXPECT_THAT(status, IsOciError(OciErrorCode::kUnauthorized)) << row.name << " " << json::serialize(row.value);
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.problem)) << row.name << " " << json::serialize(row.value);
  }
}

// RFC 7519 section 2: a NumericDate is any JSON number.
TEST(RegistryTokenTest, TakesTimesWithAFractionOrAnExponent) {
  json::object payload = Payload();
  payload["exp"] = 1700000300.5;
  payload["nbf"] = 1.7e9;
  payload["iat"] = 1699999999.25;
  EXPECT_OK(Verify(payload, Now() + absl::Milliseconds(360'499)));
  EXPECT_THAT(Verify(payload, Now() + absl::Milliseconds(360'500)), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_OK(Verify(payload, Now() - absl::Seconds(60)));
  EXPECT_THAT(Verify(payload, Now() - absl::Milliseconds(60'001)), IsOciError(OciErrorCode::kUnauthorized));
}

TEST(RegistryTokenTest, DistinguishesAnUnknownKeyFromABadToken) {
  const SigningKey newer = SigningKey::Generate(SignatureAlgorithm::kEs256);
  const std::string token = IssueRegistryToken(newer, Claims());
  EXPECT_THAT(VerifyRegistryToken(token, Keys(), kExpected, Now()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(VerifyRegistryToken(token, KeySet({newer.verification_key()}), kExpected, Now()));
}

}  // namespace
}  // namespace entrepot::token
