#include "gateway/api/auth/auth_challenge.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "services/core/access_scope.h"

namespace entrepot::gateway::api {
namespace {

// Appends a parameter as a quoted-string of RFC 9110.
void AppendParameter(absl::string_view name, absl::string_view text, std::string* value) {
  if (text.empty()) return;
  absl::StrAppend(value, value->back() == ' ' ? "" : ",", name, "=\"");
  for (const char c : text) {
    if (c == '"' || c == '\\') value->push_back('\\');
    value->push_back(absl::ascii_isprint(static_cast<unsigned char>(c)) ? c : '?');
  }
  value->push_back('"');
}

}  // namespace

std::string BaseUrl(absl::string_view external_url, const http::Request& request) {
  if (!external_url.empty()) {
    while (absl::ConsumeSuffix(&external_url, "/")) {
    }
    return std::string(external_url);
  }
  const std::optional<absl::string_view> host = request.Find("Host");
  // Requests of HTTP/1.0 may have no Host.
  return absl::StrCat(request.is_tls ? "https://" : "http://", host.value_or("localhost"));
}

std::string RequiredScope(Permission permission, absl::string_view repository) {
  switch (permission) {
    case Permission::kNone:
    case Permission::kAnyToken:
      return "";
    case Permission::kPull:
      return absl::StrCat("repository:", repository, ":pull");
    case Permission::kPush:
      return absl::StrCat("repository:", repository, ":pull,push");
    case Permission::kDelete:
      return absl::StrCat("repository:", repository, ":delete");
    case Permission::kCatalog:
      return std::string(kCatalogScope);
    case Permission::kAdmin:
      return std::string(kAdministrationScope);
  }
  return "";
}

std::string ToHeaderValue(const BearerChallenge& challenge) {
  std::string value = "Bearer ";
  AppendParameter("realm", challenge.realm, &value);
  AppendParameter("service", challenge.service, &value);
  AppendParameter("scope", challenge.scope, &value);
  AppendParameter("error", challenge.error, &value);
  AppendParameter("error_description", absl::StrReplaceAll(challenge.error_description, {{"\"", "'"}}), &value);
  return value;
}

}  // namespace entrepot::gateway::api
