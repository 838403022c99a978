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

json::object WriteScope(const AccessScope& scope) {
  return {
      {"type", scope.type}, {"name", scope.name}, {"actions", json::array(scope.actions.begin(), scope.actions.end())}};
}

json::array WriteAccess(const std::vector<AccessScope>& scopes) {
  json::array access;
  for (const AccessScope& scope : scopes) access.push_back(WriteScope(scope));
  return access;
}

json::array WriteDenied(const std::vector<DeniedScope>& scopes) {
  json::array denied;
  for (const DeniedScope& each : scopes) {
    json::object entry = WriteScope(each.scope);
    entry["reason"] = each.reason;
    denied.push_back(std::move(entry));
  }
  return denied;
}

absl::StatusOr<std::vector<std::string>> ReadStrings(const json::value* value, absl::string_view what) {
  if (value == nullptr || !value->is_array()) return BadToken(absl::StrCat("has no array of ", what));
  std::vector<std::string> strings;
  for (const json::value& string : value->get_array()) {
    if (!string.is_string()) return BadToken(absl::StrCat("has a value in its ", what, " that is not a string"));
    strings.emplace_back(string.get_string());
  }
  return strings;
}

// A token without the claim has no groups.
absl::StatusOr<std::vector<std::string>> ReadGroups(const json::object& claims) {
  const json::value* const value = claims.if_contains("groups");
  if (value == nullptr) return std::vector<std::string>();
  return ReadStrings(value, "groups");
}

absl::StatusOr<AccessScope> ReadScope(const json::object& entry) {
  AccessScope scope;
  ASSIGN_OR_RETURN(scope.type, StringClaim(entry, "type"));
  ASSIGN_OR_RETURN(scope.name, StringClaim(entry, "name"));
  ASSIGN_OR_RETURN(scope.actions, ReadStrings(entry.if_contains("actions"), "actions"));
  return scope;
}

absl::StatusOr<std::vector<AccessScope>> ReadAccess(const json::object& claims) {
  const json::value* const value = claims.if_contains("access");
  if (value == nullptr || !value->is_array()) return BadToken("has no claim access that is an array");
  if (value->get_array().size() > kAccessScopesMax) {
    return BadToken(absl::StrCat("has more than ", kAccessScopesMax, " accesses"));
  }
  std::vector<AccessScope> scopes;
  for (const json::value& entry : value->get_array()) {
    if (!entry.is_object()) return BadToken("has an access that is not an object");
    ASSIGN_OR_RETURN(AccessScope scope, ReadScope(entry.get_object()));
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

absl::StatusOr<std::vector<DeniedScope>> ReadDenied(const json::object& claims) {
  const json::value* const value = claims.if_contains("denied");
  std::vector<DeniedScope> scopes;
  if (value == nullptr) return scopes;
  if (!value->is_array()) return BadToken("has a claim denied that is not an array");
  for (const json::value& entry : value->get_array()) {
    if (!entry.is_object()) return BadToken("has a denied scope that is not an object");
    DeniedScope denied;
    ASSIGN_OR_RETURN(denied.scope, ReadScope(entry.get_object()));
    ASSIGN_OR_RETURN(denied.reason, StringClaim(entry.get_object(), "reason"));
    scopes.push_back(std::move(denied));
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
  ASSIGN_OR_RETURN(claims.groups, ReadGroups(object));
  ASSIGN_OR_RETURN(claims.audience, StringClaim(object, "aud"));
  ASSIGN_OR_RETURN(const Validity validity, CheckValidity(object, now));
  ASSIGN_OR_RETURN(claims.issued_at, Required(validity.issued_at, "iat"));
  ASSIGN_OR_RETURN(claims.not_before, Required(validity.not_before, "nbf"));
  claims.expires_at = validity.expires_at;
  ASSIGN_OR_RETURN(claims.id, StringClaim(object, "jti"));
  ASSIGN_OR_RETURN(claims.access, ReadAccess(object));
  ASSIGN_OR_RETURN(claims.denied, ReadDenied(object));
  return claims;
}

}  // namespace

std::string IssueRegistryToken(const SigningKey& key, const RegistryClaims& claims) {
  json::object object = {{"iss", claims.issuer},
                         {"sub", claims.subject},
                         {"aud", claims.audience},
                         {"exp", absl::ToUnixSeconds(claims.expires_at)},
                         {"nbf", absl::ToUnixSeconds(claims.not_before)},
                         {"iat", absl::ToUnixSeconds(claims.issued_at)},
                         {"jti", claims.id},
                         {"access", WriteAccess(claims.access)}};
  if (!claims.denied.empty()) object["denied"] = WriteDenied(claims.denied);
  if (!claims.groups.empty()) object["groups"] = json::array(claims.groups.begin(), claims.groups.end());
  return SignClaims(key, object);
}

absl::StatusOr<RegistryClaims> VerifyRegistryToken(absl::string_view text, const KeySet& keys,
                                                   const ExpectedToken& expected, absl::Time now) {
  ASSIGN_OR_RETURN(const json::object object, VerifyClaims(text, keys));
  ASSIGN_OR_RETURN(RegistryClaims claims, ReadClaims(object, now));
  if (claims.issuer != expected.issuer) return BadToken("has another issuer");
  if (claims.audience != expected.audience) return BadToken("is for another audience");
  return claims;
}

}  // namespace entrepot::token
