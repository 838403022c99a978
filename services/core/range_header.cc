#include "services/core/range_header.h"

#include <algorithm>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

// nullopt unless the text consists of digits only. A number that does not fit in 64 bits becomes the largest one.
std::optional<uint64_t> ParsePosition(absl::string_view text) {
  const auto is_digit = [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); };
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  uint64_t position = 0;
  return absl::SimpleAtoi(text, &position) ? position : std::numeric_limits<uint64_t>::max();
}

absl::Status NotInObject(absl::string_view header, uint64_t size_bytes) {
  return OciError(OciErrorCode::kRangeInvalid,
                  absl::StrCat("the range ", QuotedInput(header), " is not in the object of ", size_bytes, " bytes"));
}

}  // namespace

absl::StatusOr<std::optional<ByteRange>> ResolveRangeHeader(absl::string_view header, uint64_t size_bytes) {
  constexpr absl::string_view kUnit = "bytes=";
  if (!absl::StartsWithIgnoreCase(header, kUnit)) return std::nullopt;
  const absl::string_view range = absl::StripAsciiWhitespace(header.substr(kUnit.size()));
  const size_t dash = range.find('-');
  if (dash == absl::string_view::npos) return std::nullopt;
  const absl::string_view first_text = range.substr(0, dash);
  const absl::string_view last_text = range.substr(dash + 1);
  const std::optional<uint64_t> first = ParsePosition(first_text);
  const std::optional<uint64_t> last = ParsePosition(last_text);
  if ((!first.has_value() && !first_text.empty()) || (!last.has_value() && !last_text.empty())) return std::nullopt;

  if (!first.has_value()) {
    if (!last.has_value()) return std::nullopt;
    if (*last == 0) return NotInObject(header, size_bytes);
    // The last n bytes of an empty object are all of it, and no partial response can express that.
    if (size_bytes == 0) return std::nullopt;
    const uint64_t length_bytes = std::min(*last, size_bytes);
    return ByteRange{size_bytes - length_bytes, length_bytes};
  }
  if (*first >= size_bytes || (last.has_value() && *last < *first)) return NotInObject(header, size_bytes);
  return ByteRange{*first, std::min(last.value_or(size_bytes - 1), size_bytes - 1) - *first + 1};
}

absl::StatusOr<ByteRange> ParseUploadContentRange(absl::string_view header) {
  constexpr uint64_t kPositionMax = std::numeric_limits<int64_t>::max();
  const size_t dash = header.find('-');
  const std::optional<uint64_t> first = ParsePosition(header.substr(0, dash));
  const std::optional<uint64_t> last =
      dash == absl::string_view::npos ? std::nullopt : ParsePosition(header.substr(dash + 1));
  if (!first.has_value() || !last.has_value()) {
    return OciError(OciErrorCode::kBlobUploadInvalid,
                    absl::StrCat("the Content-Range ", QuotedInput(header), " is not of the form <first>-<last>"));
  }
  if (*first > kPositionMax || *last > kPositionMax) {
    return OciError(OciErrorCode::kBlobUploadInvalid,
                    absl::StrCat("a number in the Content-Range ", QuotedInput(header), " is too large"));
  }
  if (*last < *first) {
    return OciError(OciErrorCode::kRangeInvalid,
                    absl::StrCat("the Content-Range ", QuotedInput(header), " ends before it begins"));
  }
  return ByteRange{*first, *last - *first + 1};
}

}  // namespace entrepot
