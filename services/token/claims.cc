#include "services/token/claims.h"

#include "absl/strings/str_cat.h"
#include "boost/json/string.hpp"
#include "boost/json/value.hpp"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

constexpr double kUnixSecondsMax = 253'402'300'799;  // The end of the year 9999.

const json::value* Find(const json::object& claims, absl::string_view name) {
  return claims.if_contains(json::string_view(name.data(), name.size()));
}

// RFC 7519 section 2: a JSON number of seconds, which may have a fraction or an exponent.
std::optional<absl::Time> NumericDate(const json::value& value) {
  if (!value.is_number()) return std::nullopt;
  const double seconds = value.to_number<double>();
  if (seconds < 0 || seconds > kUnixSecondsMax) return std::nullopt;
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

absl::StatusOr<std::optional<absl::Time>> TimeClaim(const json::object& claims, absl::string_view name) {
  const json::value* const value = Find(claims, name);
  if (value == nullptr) return std::nullopt;
  const std::optional<absl::Time> time = NumericDate(*value);
  if (!time.has_value()) {
    return BadToken(absl::StrCat("has a claim ", name, " that is not a time in seconds since 1970"));
  }
  return time;
}

}  // namespace

absl::Status BadToken(absl::string_view problem) {
  return OciError(OciErrorCode::kUnauthorized, absl::StrCat("the token ", problem));
}

absl::StatusOr<std::string> StringClaim(const json::object& claims, absl::string_view name) {
  const json::value* const value = Find(claims, name);
  if (value == nullptr) return BadToken(absl::StrCat("has no claim ", name));
  if (!value->is_string()) return BadToken(absl::StrCat("has a claim ", name, " that is not a string"));
  return std::string(value->get_string());
}

absl::StatusOr<Validity> CheckValidity(const json::object& claims, absl::Time now) {
  ASSIGN_OR_RETURN(const std::optional<absl::Time> expires_at, TimeClaim(claims, "exp"));
  if (!expires_at.has_value()) return BadToken("has no claim exp");
  Validity validity{.issued_at = std::nullopt, .not_before = std::nullopt, .expires_at = *expires_at};
  ASSIGN_OR_RETURN(validity.issued_at, TimeClaim(claims, "iat"));
  ASSIGN_OR_RETURN(validity.not_before, TimeClaim(claims, "nbf"));
  if (now >= validity.expires_at + kLeeway) return BadToken("has expired");
  if (validity.not_before.has_value() && now + kLeeway < *validity.not_before) return BadToken("is not valid yet");
  if (validity.issued_at.has_value() && now + kLeeway < *validity.issued_at) {
    return BadToken("was issued in the future");
  }
  return validity;
}

}  // namespace entrepot::token
