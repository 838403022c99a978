#include "services/core/media_type.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
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

}  // namespace

absl::StatusOr<MediaType> MediaType::Parse(absl::string_view text) {
  const absl::string_view type = absl::StripAsciiWhitespace(text.substr(0, text.find(';')));
  const size_t slash = type.find('/');
  if (slash == absl::string_view::npos || !IsRestrictedName(type.substr(0, slash)) ||
      !IsRestrictedName(type.substr(slash + 1))) {
    return OciError(OciErrorCode::kManifestInvalid,
                    absl::StrCat("the media type ", QuotedInput(text), " is not of the form type/subtype"));
  }
  return MediaType(std::string(type));
}

}  // namespace entrepot
