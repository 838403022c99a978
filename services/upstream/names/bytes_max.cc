#include "services/upstream/names/bytes_max.h"

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/status/quoted_input.h"

namespace entrepot::upstream {
namespace {

struct Unit {
  absl::string_view name;
  uint64_t bytes;
};
constexpr std::array<Unit, 4> kUnits = {
    {{"KiB", uint64_t{1} << 10}, {"MiB", uint64_t{1} << 20}, {"GiB", uint64_t{1} << 30}, {"TiB", uint64_t{1} << 40}}};

// Less is a forgotten unit.
constexpr uint64_t kLeast = uint64_t{1} << 20;
constexpr uint64_t kMost = uint64_t{1} << 50;

}  // namespace

absl::StatusOr<uint64_t> ParseBytesMax(absl::string_view text) {
  absl::string_view digits = text;
  uint64_t unit_bytes = 1;
  for (const Unit& unit : kUnits) {
    if (!absl::ConsumeSuffix(&digits, unit.name)) continue;
    digits = absl::StripTrailingAsciiWhitespace(digits);
    unit_bytes = unit.bytes;
    break;
  }
  uint64_t number = 0;
  const bool is_number = !digits.empty() && std::all_of(digits.begin(), digits.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c);
  }) && absl::SimpleAtoi(digits, &number);
  if (!is_number) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be a number of bytes, or of KiB, MiB, GiB or TiB, such as \"200GiB\", not ", QuotedInput(text)));
  }
  if (number > kMost / unit_bytes || number * unit_bytes < kLeast) {
    return absl::InvalidArgumentError(absl::StrCat("must be from 1MiB to 1024TiB, not ", QuotedInput(text)));
  }
  return number * unit_bytes;
}

uint64_t BytesMaxOf(const config::v1::Upstream& upstream) {
  return upstream.bytes_max().empty() ? 0 : ParseBytesMax(upstream.bytes_max()).value_or(0);
}

}  // namespace entrepot::upstream
