#include "gateway/api/auth/authorization_header.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
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

// The one field; nullptr without one.
absl::StatusOr<const absl::string_view*> FindField(const http::Request& request) {
  const absl::string_view* value = nullptr;
  for (const http::Request::Field& field : request.fields) {
    if (field.name.size() != kName.size() || !absl::EqualsIgnoreCase(field.name, kName)) continue;
    if (value != nullptr) return absl::InvalidArgumentError("the Authorization field is given more than once");
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

}  // namespace entrepot::gateway::api
