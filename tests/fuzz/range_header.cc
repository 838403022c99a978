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

  const auto range = entrepot::ResolveRangeHeader(header, size_bytes);
  if (!range.ok()) {
    entrepot::fuzz::CheckOciError(range.status(), OciErrorCode::kRangeInvalid);
    return;
  }
  if (!range->has_value()) return;
  const auto [offset, length] = **range;
  FUZZ_CHECK(length > 0);
  FUZZ_CHECK(offset < size_bytes && length <= size_bytes - offset);
  // A request for the resolved range resolves to the same range.
  const std::string canonical = "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + length - 1);
  const auto again = entrepot::ResolveRangeHeader(canonical, size_bytes);
  FUZZ_CHECK(again.ok() && *again == *range);
}
