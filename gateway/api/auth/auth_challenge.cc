#include "gateway/api/auth/auth_challenge.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/core/access_scope.h"

namespace entrepot::gateway::api {
namespace {

// RFC 9110's quoted-string.
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
  // HTTP/1.0 has requests without a Host.
  return absl::StrCat(request.is_tls ? "https://" : "http://", host.value_or("localhost"));
}

std::string NeededScope(Need need, absl::string_view repository) {
  switch (need) {
    case Need::kNothing:
    case Need::kAnyToken:
      return "";
    case Need::kPull:
      return absl::StrCat("repository:", repository, ":pull");
    case Need::kPush:
      return absl::StrCat("repository:", repository, ":pull,push");
    case Need::kDelete:
      return absl::StrCat("repository:", repository, ":delete");
    case Need::kCatalog:
      return std::string(kCatalogScope);
    case Need::kAdminister:
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
  return value;
}

}  // namespace entrepot::gateway::api
