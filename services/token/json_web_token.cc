#include "services/token/json_web_token.h"

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "boost/json/serialize.hpp"
#include "boost/json/string.hpp"
#include "boost/json/value.hpp"
#include "services/core/text/strict_json.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/token/base64url.h"
#include "services/token/claims.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

// The encoded parts of a compact serialisation.
struct Parts {
  absl::string_view signed_bytes;
  absl::string_view header;
  absl::string_view payload;
  absl::string_view signature;
};

absl::StatusOr<Parts> Split(absl::string_view token) {
  if (token.size() > kTokenBytesMax)
    return BadToken(absl::StrCat("is longer than ", kTokenBytesMax, " bytes (a fixed limit)"));
  const std::vector<absl::string_view> parts = absl::StrSplit(token, absl::MaxSplits('.', 3));
  if (parts.size() != 3) return BadToken("is not three parts joined by dots");
  return Parts{.signed_bytes = token.substr(0, token.size() - parts[2].size() - 1),
               .header = parts[0],
               .payload = parts[1],
               .signature = parts[2]};
}

absl::StatusOr<json::object> ReadObject(absl::string_view name, absl::string_view text) {
  const std::optional<std::string> bytes = DecodeBase64Url(text);
  if (!bytes.has_value()) return BadToken(absl::StrCat("has a ", name, " that is not base64url"));
  absl::StatusOr<json::value> value = ParseStrictJson(*bytes);
  if (!value.ok()) return BadToken(absl::StrCat("has a ", name, " that is ", value.status().message()));
  if (!value->is_object()) return BadToken(absl::StrCat("has a ", name, " that is not a JSON object"));
  return std::move(value->get_object());
}

// The types of identity and access tokens. A token that was issued for another purpose (a logout, an event) is not a
// credential.
bool IsCredentialType(absl::string_view type) {
  const std::string lower = absl::AsciiStrToLower(type);
  const absl::string_view name = absl::StripPrefix(lower, "application/");
  return name == "jwt" || name == "at+jwt";
}

absl::StatusOr<SignatureAlgorithm> CheckHeader(const json::object& header) {
  if (header.contains("crit")) return BadToken("needs an extension (crit), and none is known here");
  if (header.contains("typ")) {
    ASSIGN_OR_RETURN(const std::string type, StringClaim(header, "typ"));
    if (!IsCredentialType(type)) return BadToken(absl::StrCat("has the type ", QuotedInput(type), ", not JWT"));
  }
  ASSIGN_OR_RETURN(const std::string name, StringClaim(header, "alg"));
  const absl::StatusOr<SignatureAlgorithm> algorithm = ParseSignatureAlgorithm(name);
  if (!algorithm.ok()) return BadToken(absl::StrCat("cannot be verified: ", algorithm.status().message()));
  return *algorithm;
}

absl::StatusOr<const VerificationKey*> FindKey(const json::object& header, const KeySet& keys) {
  if (!header.contains("kid")) {
    const VerificationKey* const key = keys.Only();
    if (key == nullptr) return BadToken("does not say which key has signed it (kid)");
    return key;
  }
  ASSIGN_OR_RETURN(const std::string kid, StringClaim(header, "kid"));
  const VerificationKey* const key = keys.Find(kid);
  if (key == nullptr) return absl::NotFoundError(absl::StrCat("no key has the kid ", QuotedInput(kid)));
  return key;
}

}  // namespace

std::string SignClaims(const SigningKey& key, const json::object& claims) {
  const absl::string_view algorithm = ToString(key.algorithm());
  const json::object header = {
      {"alg", json::string_view(algorithm.data(), algorithm.size())}, {"typ", "JWT"}, {"kid", key.kid()}};
  const std::string signed_bytes =
      absl::StrCat(EncodeBase64Url(json::serialize(header)), ".", EncodeBase64Url(json::serialize(claims)));
  return absl::StrCat(signed_bytes, ".", EncodeBase64Url(key.Sign(signed_bytes)));
}

absl::StatusOr<json::object> VerifyClaims(absl::string_view token, const KeySet& keys) {
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  ASSIGN_OR_RETURN(const json::object header, ReadObject("header", parts.header));
  ASSIGN_OR_RETURN(const SignatureAlgorithm algorithm, CheckHeader(header));
  ASSIGN_OR_RETURN(const VerificationKey* const key, FindKey(header, keys));
  if (algorithm != key->algorithm()) {
    return BadToken(
        absl::StrCat("has the algorithm ", ToString(algorithm), ", but its key is for ", ToString(key->algorithm())));
  }
  const std::optional<std::string> signature = DecodeBase64Url(parts.signature);
  if (!signature.has_value()) return BadToken("has a signature that is not base64url");
  if (!key->Verify(parts.signed_bytes, *signature)) return BadToken("has a wrong signature");
  return ReadObject("payload", parts.payload);
}

absl::StatusOr<std::string> UnverifiedIssuer(absl::string_view token) {
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  ASSIGN_OR_RETURN(const json::object claims, ReadObject("payload", parts.payload));
  return StringClaim(claims, "iss");
}

}  // namespace entrepot::token
