#include "services/core/range_header.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::ByteRange;
using entrepot::OciErrorCode;

// The input: the object's size (eight bytes), then the header.
FUZZ_TARGET(input) {
  uint64_t size_bytes = 0;
  const size_t size_of_size = std::min(input.size(), sizeof(size_bytes));
  std::memcpy(&size_bytes, input.data(), size_of_size);
  const absl::string_view header = input.substr(size_of_size);

  constexpr size_t kRangesMax = 8;
  const auto ranges = entrepot::ResolveRangeHeader(header, size_bytes, kRangesMax);
  if (absl::IsInvalidArgument(ranges.status())) return;
  if (!ranges.ok()) {
    entrepot::fuzz::CheckOciError(ranges.status(), OciErrorCode::kRangeInvalid);
    return;
  }
  if (ranges->empty()) return;
  FUZZ_CHECK(ranges->size() <= kRangesMax);
  uint64_t total_bytes = 0;
  std::string canonical = "bytes=";
  for (const auto& [offset, length] : *ranges) {
    FUZZ_CHECK(length > 0);
    FUZZ_CHECK(offset < size_bytes && length <= size_bytes - offset);
    // A response is never longer than the object, because ranges do not overlap.
    FUZZ_CHECK(length <= size_bytes - total_bytes);
    total_bytes += length;
    canonical += std::to_string(offset) + "-" + std::to_string(offset + length - 1) + ",";
  }
  // A request for the resolved ranges resolves to the same ranges.
  const auto again = entrepot::ResolveRangeHeader(canonical, size_bytes, kRangesMax);
  FUZZ_CHECK(again.ok() && *again == *ranges);
}
