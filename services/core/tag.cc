#include "services/core/tag.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

constexpr size_t kTagBytesMax = 128;

bool IsFirstByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool IsFurtherByte(char c) { return IsFirstByte(c) || c == '.' || c == '-'; }

}  // namespace

absl::StatusOr<Tag> Tag::Parse(absl::string_view text) {
  if (text.empty() || text.size() > kTagBytesMax || !IsFirstByte(text.front()) ||
      !std::all_of(text.begin(), text.end(), IsFurtherByte)) {
    return OciError(OciErrorCode::kTagInvalid,
                    absl::StrCat("the tag ", QuotedInput(text), " is not 1 to ", kTagBytesMax,
                                 " letters, digits, '_', '.' and '-' beginning with none of the last two"));
  }
  return Tag(std::string(text));
}

}  // namespace entrepot
