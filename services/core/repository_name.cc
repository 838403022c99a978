#include "services/core/repository_name.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

constexpr size_t kNameBytesMax = 255;

bool IsAlphanumeric(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool IsSeparator(absl::string_view text) {
  return text == "." || text == "_" || text == "__" ||
         std::all_of(text.begin(), text.end(), [](char c) { return c == '-'; });
}

bool IsSegment(absl::string_view text) {
  if (text.empty() || !IsAlphanumeric(text.front()) || !IsAlphanumeric(text.back())) return false;
  auto at = text.begin();
  while (at != text.end()) {
    const auto separator = std::find_if_not(at, text.end(), IsAlphanumeric);
    at = std::find_if(separator, text.end(), IsAlphanumeric);
    if (!IsSeparator(text.substr(separator - text.begin(), at - separator))) return false;
  }
  return true;
}

bool IsName(absl::string_view text) {
  for (absl::string_view segment : absl::StrSplit(text, '/')) {
    if (!IsSegment(segment)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<RepositoryName> RepositoryName::Parse(absl::string_view text) {
  if (text.size() > kNameBytesMax) {
    return OciError(OciErrorCode::kNameInvalid, absl::StrCat("the repository name ", QuotedInput(text), " is ",
                                                             text.size(), " bytes long, more than ", kNameBytesMax));
  }
  if (!IsName(text)) {
    return OciError(OciErrorCode::kNameInvalid,
                    absl::StrCat("the repository name ", QuotedInput(text),
                                 " is not segments of lower-case letters and digits, separated by '.', '_', '__' or "
                                 "'-', joined by '/'"));
  }
  return RepositoryName(std::string(text));
}

}  // namespace entrepot
