#include "services/core/media_type.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

constexpr size_t kRestrictedNameBytesMax = 127;

bool IsRestrictedNameByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("!#$&-^_.+").find(c) != absl::string_view::npos;
}

bool IsRestrictedName(absl::string_view text) {
  return !text.empty() && text.size() <= kRestrictedNameBytesMax &&
         absl::ascii_isalnum(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(), IsRestrictedNameByte);
}

absl::string_view WithoutBlanksAround(absl::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == absl::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

absl::StatusOr<MediaType> MediaType::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos || !IsRestrictedName(text.substr(0, slash)) ||
      !IsRestrictedName(text.substr(slash + 1))) {
    return OciError(OciErrorCode::kManifestInvalid,
                    absl::StrCat("the media type ", QuotedInput(text), " is not of the form type/subtype"));
  }
  return MediaType(std::string(text));
}

absl::StatusOr<MediaType> MediaType::ParseHeader(absl::string_view value) {
  return Parse(WithoutBlanksAround(value.substr(0, value.find(';'))));
}

}  // namespace entrepot
