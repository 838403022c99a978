#include "services/token/json_web_token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"
#include "services/token/base64url.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

using testing::HasSubstr;

constexpr char kClaims[] = R"({"iss":"me"})";

// One key for all tests: generating one takes time.
const SigningKey& Key() {
  static const auto* const key = new SigningKey(SigningKey::Generate(SignatureAlgorithm::kEs256));
  return *key;
}
const KeySet& Keys() {
  static const auto* const keys = new KeySet({Key().verification_key()});
  return *keys;
}

// A signed token with any header and payload.
std::string Sign(const SigningKey& key, absl::string_view header, absl::string_view payload = kClaims) {
  const std::string text = absl::StrCat(EncodeBase64Url(header), ".", EncodeBase64Url(payload));
  return absl::StrCat(text, ".", EncodeBase64Url(key.Sign(text)));
}

// {"alg":"ES256","kid":"…"<more>}
std::string Header(absl::string_view more = "") {
  return absl::StrCat(R"({"alg":"ES256","kid":")", Key().kid(), "\"", more, "}");
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(JsonWebTokenTest, VerifiesWhatItSigns) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa, SignatureAlgorithm::kRs256}) {
    const SigningKey key = SigningKey::Generate(algorithm);
    const std::string token = SignClaims(key, {{"iss", "me"}, {"n", 1}});
    const KeySet keys({Key().verification_key(), key.verification_key()});
    EXPECT_THAT(VerifyClaims(token, keys), IsOkAndHolds(json::object{{"iss", "me"}, {"n", 1}}));
    EXPECT_THAT(UnverifiedIssuer(token), IsOkAndHolds("me"));
    EXPECT_THAT(VerifyClaims(token, Keys()), StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST(JsonWebTokenTest, NamesItsKeyAlgorithmAndType) {
  const std::vector<std::string> parts = absl::StrSplit(SignClaims(Key(), {{"iss", "me"}}), '.');
  EXPECT_EQ(DecodeBase64Url(parts[0]), absl::StrCat(R"({"alg":"ES256","typ":"JWT","kid":")", Key().kid(), "\"}"));
  EXPECT_EQ(DecodeBase64Url(parts[1]), kClaims);
}

TEST(JsonWebTokenTest, UsesTheOnlyKeyForATokenWithoutKid) {
  const std::string token = Sign(Key(), R"({"alg":"ES256"})");
  EXPECT_OK(VerifyClaims(token, Keys()));
  const KeySet two({Key().verification_key(), SigningKey::Generate(SignatureAlgorithm::kEs256).verification_key()});
  EXPECT_THAT(VerifyClaims(token, two), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(VerifyClaims(token, KeySet()), IsOciError(OciErrorCode::kUnauthorized));
}

TEST(JsonWebTokenTest, AcceptsTheTypesOfCredentials) {
  for (const char* const type : {"JWT", "jwt", "at+jwt", "application/at+JWT"}) {
    EXPECT_OK(VerifyClaims(Sign(Key(), Header(absl::StrCat(R"(,"typ":")", type, "\""))), Keys())) << type;
  }
  for (const char* const type : {"", "logout+jwt", "secevent+jwt", "dpop+jwt", "JOSE", "JWE"}) {
    const auto claims = VerifyClaims(Sign(Key(), Header(absl::StrCat(R"(,"typ":")", type, "\""))), Keys());
    EXPECT_THAT(claims, IsOciError(OciErrorCode::kUnauthorized)) << type;
    EXPECT_THAT(Message(claims.status()), HasSubstr("has the type")) << type;
  }
}

TEST(JsonWebTokenTest, RefusesAlgNone) {
  for (const std::string name : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string header = absl::StrCat(R"({"alg":")", name, R"(","kid":")", Key().kid(), "\"}");
    const std::string unsigned_token = absl::StrCat(EncodeBase64Url(header), ".", EncodeBase64Url(kClaims), ".");
    for (const std::string& token : {unsigned_token, unsigned_token + "AA", Sign(Key(), header)}) {
      const auto claims = VerifyClaims(token, Keys());
      EXPECT_THAT(claims, IsOciError(OciErrorCode::kUnauthorized)) << name;
      EXPECT_THAT(Message(claims.status()), HasSubstr("is not ES256, EdDSA or RS256")) << name;
    }
  }
}

TEST(JsonWebTokenTest, RefusesHs256WithThePublicKeyAsTheSecret) {
  const std::string text = absl::StrCat(EncodeBase64Url(absl::StrCat(R"({"alg":"HS256","kid":")", Key().kid(), "\"}")),
                                        ".", EncodeBase64Url(kClaims));
  for (const std::string& secret : {json::serialize(Key().verification_key().ToJwk()), Keys().ToJson()}) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    const absl::string_view signature(reinterpret_cast<const char*>(mac), size);
    EXPECT_THAT(VerifyClaims(absl::StrCat(text, ".", EncodeBase64Url(signature)), Keys()),
                IsOciError(OciErrorCode::kUnauthorized));
  }
}

TEST(JsonWebTokenTest, RefusesAnAlgorithmThatIsNotTheKeys) {
  const SigningKey rsa = SigningKey::Generate(SignatureAlgorithm::kRs256);
  const KeySet keys({Key().verification_key(), rsa.verification_key()});
  for (const auto& [algorithm, kid] :
       {std::pair<std::string, std::string>("RS256", Key().kid()), {"EdDSA", Key().kid()}, {"ES256", rsa.kid()}}) {
    const std::string header = absl::StrCat(R"({"alg":")", algorithm, R"(","kid":")", kid, "\"}");
    for (const SigningKey& key : {Key(), rsa}) {
      const auto claims = VerifyClaims(Sign(key, header), keys);
      EXPECT_THAT(claims, IsOciError(OciErrorCode::kUnauthorized));
      EXPECT_THAT(Message(claims.status()), HasSubstr("but its key is for"));
    }
  }
}

TEST(JsonWebTokenTest, IgnoresKeysInTheToken) {
  const SigningKey foreign = SigningKey::Generate(SignatureAlgorithm::kEs256);
  json::object jwk = foreign.verification_key().ToJwk();
  jwk["kid"] = Key().kid();
  const std::string brought[] = {
      absl::StrCat(",\"jwk\":", json::serialize(jwk)),
      R"(,"jku":"https://foreign.example/keys")",
      R"(,"x5u":"https://foreign.example/certificate")",
      R"(,"x5c":["MIIB"])",
  };
  for (const std::string& more : brought) {
    const auto claims = VerifyClaims(Sign(foreign, Header(more)), Keys());
    EXPECT_THAT(claims, IsOciError(OciErrorCode::kUnauthorized)) << more;
    EXPECT_THAT(Message(claims.status()), HasSubstr("wrong signature")) << more;
    EXPECT_OK(VerifyClaims(Sign(Key(), Header(more)), Keys())) << more;
  }
  const std::string own_kid = absl::StrCat(R"({"alg":"ES256","kid":")", foreign.kid(), R"(","jwk":)",
                                           json::serialize(foreign.verification_key().ToJwk()), "}");
  EXPECT_THAT(VerifyClaims(Sign(foreign, own_kid), Keys()), StatusIs(absl::StatusCode::kNotFound));
}

TEST(JsonWebTokenTest, OnlyLooksUpTheKid) {
  for (const std::string kid :
       {"../../../../etc/passwd", "/dev/null", "' OR 1=1 --", "https://foreign.example/key", ""}) {
    const auto claims =
        VerifyClaims(Sign(Key(), json::serialize(json::object{{"alg", "ES256"}, {"kid", kid}})), Keys());
    EXPECT_THAT(claims, StatusIs(absl::StatusCode::kNotFound)) << kid;
  }
}

TEST(JsonWebTokenTest, RefusesCrit) {
  for (const std::string crit : {R"(["exp"])", R"(["b64"],"b64":false)", "[]", "null"}) {
    const auto claims = VerifyClaims(Sign(Key(), Header(absl::StrCat(",\"crit\":", crit))), Keys());
    EXPECT_THAT(claims, IsOciError(OciErrorCode::kUnauthorized)) << crit;
    EXPECT_THAT(Message(claims.status()), HasSubstr("crit")) << crit;
  }
}

struct Refused {
  std::string name;
  std::string token;
  std::string problem;
};

TEST(JsonWebTokenTest, ReadsStrictly) {
  const std::string good = Sign(Key(), Header());
  ASSERT_OK(VerifyClaims(good, Keys()));
  const std::vector<std::string> parts = absl::StrSplit(good, '.');
  const std::string kid = absl::StrCat("\"kid\":\"", Key().kid(), "\"");
  const Refused rows[] = {
      {"empty", "", "three parts"},
      {"one part", parts[0], "three parts"},
      {"two parts", absl::StrCat(parts[0], ".", parts[1]), "three parts"},
      {"four parts", good + ".", "three parts"},
      {"an encrypted token", absl::StrCat(good, ".", parts[0], ".", parts[1]), "three parts"},
      {"empty header", absl::StrCat(".", parts[1], ".", parts[2]), "header that is not well-formed JSON"},
      {"empty payload", Sign(Key(), Header(), ""), "payload that is not well-formed JSON"},
      {"no signature", absl::StrCat(parts[0], ".", parts[1], "."), "wrong signature"},
      {"the signature of another", absl::StrCat(parts[0], ".", parts[1], ".", parts[1]), "wrong signature"},
      {"padded header", absl::StrCat(parts[0], "=.", parts[1], ".", parts[2]), "header that is not base64url"},
      {"padded signature", good + "==", "signature that is not base64url"},
      {"blank", good + " ", "signature that is not base64url"},
      {"line end", good + "\n", "signature that is not base64url"},
      {"other letters", absl::StrCat(parts[0], ".", parts[1], "+.", parts[2]), "wrong signature"},
      {"header is an array", Sign(Key(), "[]"), "header that is not a JSON object"},
      {"payload is a string", Sign(Key(), Header(), "\"a\""), "payload that is not a JSON object"},
      {"payload is two objects", Sign(Key(), Header(), "{}{}"), "something follows the value"},
      {"a byte order mark", Sign(Key(), Header(), "\xEF\xBB\xBF{}"), "payload that is not well-formed JSON"},
      {"invalid UTF-8", Sign(Key(), Header(), "{\"a\":\"\xFF\"}"), "payload that is not well-formed JSON"},
      {"alg twice", Sign(Key(), absl::StrCat(R"({"alg":"none","alg":"ES256",)", kid, "}")), "\"alg\" occurs twice"},
      {"kid twice", Sign(Key(), Header(",\"kid\":\"x\"")), "\"kid\" occurs twice"},
      {"a claim twice", Sign(Key(), Header(), R"({"sub":"a","sub":"b"})"), "\"sub\" occurs twice"},
      {"a claim twice, escaped", Sign(Key(), Header(), R"({"sub":"a","s\u0075b":"b"})"), "\"sub\" occurs twice"},
      {"deep", Sign(Key(), Header(), "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}"), "nested deeper"},
      {"no alg", Sign(Key(), absl::StrCat("{", kid, "}")), "no claim alg"},
      {"alg is a number", Sign(Key(), absl::StrCat("{\"alg\":256,", kid, "}")), "alg that is not a string"},
      {"alg in another case", Sign(Key(), absl::StrCat(R"({"alg":"es256",)", kid, "}")), "is not ES256"},
      {"kid is a number", Sign(Key(), R"({"alg":"ES256","kid":1})"), "kid that is not a string"},
      {"typ is a number", Sign(Key(), Header(",\"typ\":1")), "typ that is not a string"},
      {"long", Sign(Key(), Header(), absl::StrCat("{\"a\":\"", std::string(120'000, 'a'), "\"}")),
       "longer than 122880"},
  };
  for (const Refused& row : rows) {
    const auto claims = VerifyClaims(row.token, Keys());
    EXPECT_THAT(claims, IsOciError(OciErrorCode::kUnauthorized)) << row.name;
    EXPECT_THAT(Message(claims.status()), HasSubstr(row.problem)) << row.name;
  }
}

TEST(JsonWebTokenTest, RefusesEveryChangedCharacter) {
  const std::string good = SignClaims(Key(), {{"iss", "me"}});
  for (size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(VerifyClaims(changed, Keys()).ok()) << i;
  }
}

TEST(JsonWebTokenTest, RefusesAnUnknownKeyWithAKnownKid) {
  const SigningKey foreign = SigningKey::Generate(SignatureAlgorithm::kEs256);
  EXPECT_THAT(VerifyClaims(Sign(foreign, Header()), Keys()), IsOciError(OciErrorCode::kUnauthorized));
}

TEST(JsonWebTokenTest, ReadsTheIssuerStrictlyToo) {
  EXPECT_THAT(UnverifiedIssuer("a.b.c"), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(UnverifiedIssuer(Sign(Key(), Header(), "{}")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(UnverifiedIssuer(Sign(Key(), Header(), R"({"iss":["me"]})")), IsOciError(OciErrorCode::kUnauthorized));
  EXPECT_THAT(UnverifiedIssuer(Sign(Key(), Header(), R"({"iss":"a","iss":"b"})")),
              IsOciError(OciErrorCode::kUnauthorized));
}

}  // namespace
}  // namespace entrepot::token
