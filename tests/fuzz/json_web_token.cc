#include "services/token/json_web_token.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "services/core/text/strict_json.h"
#include "services/token/base64url.h"
#include "services/token/registry_token.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::OciErrorCode;
using entrepot::token::EncodeBase64Url;
using entrepot::token::ExpectedToken;
using entrepot::token::KeySet;
using entrepot::token::RegistryClaims;
using entrepot::token::SigningKey;
using entrepot::token::VerificationKey;

namespace {

namespace json = boost::json;

const SigningKey& Key() {
  static const auto* const key = new SigningKey(SigningKey::Generate(entrepot::token::SignatureAlgorithm::kEdDsa));
  return *key;
}

// The key under an id that inputs can contain.
const KeySet& Keys() {
  static const auto* const keys = [] {
    json::object jwk = Key().verification_key().ToJwk();
    jwk["kid"] = "k";
    return new KeySet({VerificationKey::FromJwk(jwk).value()});
  }();
  return *keys;
}

void CheckError(const absl::Status& status) {
  if (!absl::IsNotFound(status)) return entrepot::fuzz::CheckOciError(status, OciErrorCode::kUnauthorized);
  entrepot::fuzz::CheckMessage(status);
}

void CheckRegistryToken(const std::string& token) {
  const ExpectedToken expected{.issuer = "entrepot", .audience = "entrepot"};
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const auto claims = entrepot::token::VerifyRegistryToken(token, Keys(), expected, now);
  if (!claims.ok()) return CheckError(claims.status());
  FUZZ_CHECK(claims->issuer == "entrepot" && claims->audience == "entrepot");
  FUZZ_CHECK(now < claims->expires_at + entrepot::token::kLeeway);
  FUZZ_CHECK(claims->not_before <= now + entrepot::token::kLeeway);
  FUZZ_CHECK(claims->access.size() <= entrepot::kAccessScopesMax);
}

// Checks a token with a valid signature and any content.
void CheckSigned(absl::string_view header, absl::string_view payload) {
  const std::string text = absl::StrCat(EncodeBase64Url(header), ".", EncodeBase64Url(payload));
  const std::string token = absl::StrCat(text, ".", EncodeBase64Url(Key().Sign(text)));
  CheckRegistryToken(token);
  const auto claims = entrepot::token::VerifyClaims(token, Keys());
  if (!claims.ok()) return CheckError(claims.status());
  FUZZ_CHECK(entrepot::ParseStrictJson(payload).value() == *claims);
  const json::value head = entrepot::ParseStrictJson(header).value();
  FUZZ_CHECK(head.at("alg") == "EdDSA");
  FUZZ_CHECK(!head.get_object().contains("crit"));
  FUZZ_CHECK(!head.get_object().contains("kid") || head.at("kid") == "k");
}

}  // namespace

FUZZ_TARGET(input) {
  // The input cannot contain a valid signature.
  const auto claims = entrepot::token::VerifyClaims(input, Keys());
  FUZZ_CHECK(!claims.ok());
  CheckError(claims.status());
  const auto issuer = entrepot::token::UnverifiedIssuer(input);
  if (!issuer.ok()) CheckError(issuer.status());

  const size_t line_end = input.find('\n');
  if (line_end == absl::string_view::npos) return;
  CheckSigned(input.substr(0, line_end), input.substr(line_end + 1));
}
