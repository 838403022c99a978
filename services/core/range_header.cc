#include "services/core/range_header.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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

// One range as the client wrote it. At least one of both is set; without `first`, `last` is a number of bytes at the
// end.
struct RequestedRange {
  std::optional<uint64_t> first;
  std::optional<uint64_t> last;
};

// nullopt if the text is malformed.
std::optional<RequestedRange> ParseRange(absl::string_view text) {
  const size_t dash = text.find('-');
  if (dash == absl::string_view::npos) return std::nullopt;
  const absl::string_view first = text.substr(0, dash);
  const absl::string_view last = text.substr(dash + 1);
  const RequestedRange range{ParsePosition(first), ParsePosition(last)};
  if (range.first.has_value() == first.empty() || range.last.has_value() == last.empty()) return std::nullopt;
  if (first.empty() && last.empty()) return std::nullopt;
  return range;
}

// The part of the range that is in an object of `size_bytes`; nullopt if there is none.
std::optional<ByteRange> Clamp(const RequestedRange& range, uint64_t size_bytes) {
  if (size_bytes == 0) return std::nullopt;
  if (!range.first.has_value()) {
    const uint64_t length_bytes = std::min(*range.last, size_bytes);
    if (length_bytes == 0) return std::nullopt;
    return ByteRange{size_bytes - length_bytes, length_bytes};
  }
  const uint64_t first = *range.first;
  const uint64_t last = std::min(range.last.value_or(size_bytes - 1), size_bytes - 1);
  if (first > last) return std::nullopt;
  return ByteRange{first, last - first + 1};
}

bool Overlap(std::vector<ByteRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset_bytes < b.offset_bytes; });
  return std::adjacent_find(ranges.begin(), ranges.end(), [](const ByteRange& a, const ByteRange& b) {
           return b.offset_bytes - a.offset_bytes < a.length_bytes;
         }) != ranges.end();
}

absl::Status TooManyRanges(size_t listed, size_t ranges_max) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the Range header lists ", listed, " ranges, and one response has at most ", ranges_max, " (limits.ranges_max)"));
}

absl::Status NotInObject(absl::string_view header, uint64_t size_bytes) {
  return OciError(OciErrorCode::kRangeInvalid,
                  absl::StrCat("the range ", QuotedInput(header), " is not in the object of ", size_bytes, " bytes"));
}

}  // namespace

absl::StatusOr<std::vector<ByteRange>> ResolveRangeHeader(absl::string_view header, uint64_t size_bytes,
                                                          size_t ranges_max) {
  constexpr absl::string_view kUnit = "bytes=";
  if (!absl::StartsWithIgnoreCase(header, kUnit)) return std::vector<ByteRange>();
  std::vector<ByteRange> ranges;
  size_t listed = 0;
  for (absl::string_view text : absl::StrSplit(header.substr(kUnit.size()), ',')) {
    text = absl::StripAsciiWhitespace(text);
    if (text.empty()) continue;
    const std::optional<RequestedRange> requested = ParseRange(text);
    if (!requested.has_value()) return std::vector<ByteRange>();
    ++listed;
    // The last n bytes of an empty object are all of it, and no partial response can express that.
    if (size_bytes == 0 && !requested->first.has_value() && *requested->last > 0) return std::vector<ByteRange>();
    const std::optional<ByteRange> range = Clamp(*requested, size_bytes);
    if (range.has_value() && listed <= ranges_max) ranges.push_back(*range);
  }
  if (listed > ranges_max) return TooManyRanges(listed, ranges_max);
  if (listed > 0 && ranges.empty()) return NotInObject(header, size_bytes);
  if (Overlap(ranges)) ranges.clear();
  return ranges;
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
