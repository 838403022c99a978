#include "gateway/api/auth/authorization_header.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "services/core/text/utf8.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

constexpr absl::string_view kName = "Authorization";
constexpr absl::string_view kBearer = "Bearer ";

bool IsToken68(absl::string_view text) {
  while (absl::ConsumeSuffix(&text, "=")) {
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
  });
}

// The value of the only field; nullptr without a field.
absl::StatusOr<const absl::string_view*> FindField(const http::Request& request) {
  const absl::string_view* value = nullptr;
  for (const http::Request::Field& field : request.fields) {
    if (field.name.size() != kName.size() || !absl::EqualsIgnoreCase(field.name, kName)) continue;
    if (value != nullptr) return absl::InvalidArgumentError("more than one Authorization field");
    value = &field.value;
  }
  return value;
}

bool IsScheme(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; });
}

}  // namespace

bool Authorization::IsBasic() const { return absl::EqualsIgnoreCase(scheme, "basic"); }
bool Authorization::IsBearer() const { return absl::EqualsIgnoreCase(scheme, "bearer"); }

absl::StatusOr<Authorization> ParseAuthorization(absl::string_view value) {
  const size_t blank = value.find(' ');
  if (blank == absl::string_view::npos) {
    return absl::InvalidArgumentError("the Authorization field is not a scheme and a credential");
  }
  const Authorization authorization{value.substr(0, blank), absl::StripAsciiWhitespace(value.substr(blank))};
  if (!IsScheme(authorization.scheme) || !IsToken68(authorization.credentials)) {
    return absl::InvalidArgumentError("the Authorization field is not a scheme and a credential");
  }
  return authorization;
}

absl::StatusOr<std::optional<Authorization>> ReadAuthorization(const http::Request& request) {
  ASSIGN_OR_RETURN(const absl::string_view* const value, FindField(request));
  if (value == nullptr) return std::nullopt;
  return ParseAuthorization(*value);
}

absl::string_view PeekBearer(const http::Request& request) {
  const absl::StatusOr<const absl::string_view*> value = FindField(request);
  if (!value.ok() || *value == nullptr || !absl::StartsWith(**value, kBearer)) return "";
  return (*value)->substr(kBearer.size());
}

absl::StatusOr<BasicCredentials> ParseBasicCredentials(absl::string_view base64) {
  std::string text;
  const bool has_blanks = base64.find_first_of(" \t\r\n\v\f") != absl::string_view::npos;
  if (has_blanks || !absl::Base64Unescape(base64, &text)) {
    return absl::InvalidArgumentError("the Basic credentials are not base64");
  }
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return absl::InvalidArgumentError("the Basic credentials contain no colon");
  if (Utf8PrefixLength(text) != text.size()) {
    return absl::InvalidArgumentError("the Basic credentials are not UTF-8");
  }
  return BasicCredentials{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace entrepot::gateway::api
