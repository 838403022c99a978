#include "services/upstream/client/content_range.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace entrepot::upstream {
namespace {

std::optional<uint64_t> ParseNumber(absl::string_view text) {
  uint64_t number = 0;
  if (text.find_first_not_of("0123456789") != absl::string_view::npos) return std::nullopt;
  return absl::SimpleAtoi(text, &number) ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<ContentRange> ParseContentRange(absl::string_view field) {
  constexpr absl::string_view kUnit = "bytes ";
  field = absl::StripAsciiWhitespace(field);
  if (!absl::StartsWithIgnoreCase(field, kUnit)) return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(absl::StripAsciiWhitespace(field.substr(kUnit.size())), absl::MaxSplits('/', 1));
  ContentRange range;
  if (parts.second != "*") {
    range.size_bytes = ParseNumber(parts.second);
    if (!range.size_bytes.has_value()) return std::nullopt;
  }
  if (parts.first == "*") return range;
  const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(parts.first, absl::MaxSplits('-', 1));
  range.first = ParseNumber(ends.first);
  range.last = ParseNumber(ends.second);
  if (!range.first.has_value() || !range.last.has_value() || *range.last < *range.first) return std::nullopt;
  if (range.size_bytes.has_value() && *range.last >= *range.size_bytes) return std::nullopt;
  return range;
}

std::optional<uint64_t> ParseContentLength(absl::string_view field) {
  return ParseNumber(absl::StripAsciiWhitespace(field));
}

}  // namespace entrepot::upstream
