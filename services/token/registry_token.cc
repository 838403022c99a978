#include "services/token/registry_token.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/string.hpp"
#include "boost/json/value.hpp"
#include "services/status/status_macros.h"
#include "services/token/json_web_token.h"

namespace entrepot::token {
namespace {

namespace json = boost::json;

constexpr size_t kScopesMax = 100;

json::array WriteAccess(const std::vector<AccessScope>& scopes) {
  json::array access;
  for (const AccessScope& scope : scopes) {
    access.push_back({{"type", scope.type},
                      {"name", scope.name},
                      {"actions", json::array(scope.actions.begin(), scope.actions.end())}});
  }
  return access;
}

absl::StatusOr<std::vector<std::string>> ReadActions(const json::object& entry) {
  const json::value* const value = entry.if_contains("actions");
  if (value == nullptr || !value->is_array()) return BadToken("has an access without an array of actions");
  std::vector<std::string> actions;
  for (const json::value& action : value->get_array()) {
    if (!action.is_string()) return BadToken("has an action that is no string");
    actions.emplace_back(action.get_string());
  }
  return actions;
}

absl::StatusOr<std::vector<AccessScope>> ReadAccess(const json::object& claims) {
  const json::value* const value = claims.if_contains("access");
  if (value == nullptr || !value->is_array()) return BadToken("has no claim access that is an array");
  if (value->get_array().size() > kScopesMax) return BadToken(absl::StrCat("has more than ", kScopesMax, " accesses"));
  std::vector<AccessScope> scopes;
  for (const json::value& entry : value->get_array()) {
    if (!entry.is_object()) return BadToken("has an access that is no object");
    AccessScope scope;
    ASSIGN_OR_RETURN(scope.type, StringClaim(entry.get_object(), "type"));
    ASSIGN_OR_RETURN(scope.name, StringClaim(entry.get_object(), "name"));
    ASSIGN_OR_RETURN(scope.actions, ReadActions(entry.get_object()));
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

absl::StatusOr<absl::Time> Required(const std::optional<absl::Time>& time, absl::string_view name) {
  if (!time.has_value()) return BadToken(absl::StrCat("has no claim ", name));
  return *time;
}

absl::StatusOr<RegistryClaims> ReadClaims(const json::object& object, absl::Time now) {
  RegistryClaims claims;
  ASSIGN_OR_RETURN(claims.issuer, StringClaim(object, "iss"));
  ASSIGN_OR_RETURN(claims.subject, StringClaim(object, "sub"));
  ASSIGN_OR_RETURN(claims.audience, StringClaim(object, "aud"));
  ASSIGN_OR_RETURN(const Validity validity, CheckValidity(object, now));
  ASSIGN_OR_RETURN(claims.issued_at, Required(validity.issued_at, "iat"));
  ASSIGN_OR_RETURN(claims.not_before, Required(validity.not_before, "nbf"));
  claims.expires_at = validity.expires_at;
  ASSIGN_OR_RETURN(claims.id, StringClaim(object, "jti"));
  ASSIGN_OR_RETURN(claims.access, ReadAccess(object));
  return claims;
}

}  // namespace

std::string IssueRegistryToken(const SigningKey& key, const RegistryClaims& claims) {
  return SignClaims(key, {{"iss", claims.issuer},
                          {"sub", claims.subject},
                          {"aud", claims.audience},
                          {"exp", absl::ToUnixSeconds(claims.expires_at)},
                          {"nbf", absl::ToUnixSeconds(claims.not_before)},
                          {"iat", absl::ToUnixSeconds(claims.issued_at)},
                          {"jti", claims.id},
                          {"access", WriteAccess(claims.access)}});
}

absl::StatusOr<RegistryClaims> VerifyRegistryToken(absl::string_view text, const KeySet& keys,
                                                   const ExpectedToken& expected, absl::Time now) {
  ASSIGN_OR_RETURN(const json::object object, VerifyClaims(text, keys));
  ASSIGN_OR_RETURN(RegistryClaims claims, ReadClaims(object, now));
  if (claims.issuer != expected.issuer) return BadToken("is of another issuer");
  if (claims.audience != expected.audience) return BadToken("is for another audience");
  return claims;
}

}  // namespace entrepot::token
