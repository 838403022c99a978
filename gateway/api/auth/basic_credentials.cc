#include "gateway/api/auth/basic_credentials.h"

#include "absl/strings/escaping.h"
#include "services/core/text/utf8.h"

namespace entrepot::gateway::api {
namespace {

constexpr size_t kBytesMax = 4096;

}  // namespace

absl::StatusOr<BasicCredentials> ParseBasicCredentials(absl::string_view base64) {
  std::string text;
  const bool has_blanks = base64.find_first_of(" \t\r\n\v\f") != absl::string_view::npos;
  if (base64.size() > kBytesMax || has_blanks || !absl::Base64Unescape(base64, &text)) {
    return absl::InvalidArgumentError("the Basic credentials are not base64 of a few kilobytes at most");
  }
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return absl::InvalidArgumentError("the Basic credentials hold no colon");
  if (runtime::Utf8PrefixLength(text) != text.size()) {
    return absl::InvalidArgumentError("the Basic credentials are not UTF-8");
  }
  return BasicCredentials{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace entrepot::gateway::api
