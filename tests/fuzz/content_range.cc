#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "services/core/range_header.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::OciErrorCode;

FUZZ_TARGET(input) {
  const auto range = entrepot::ParseUploadContentRange(input);
  if (!range.ok()) {
    const bool is_backward = absl::IsOutOfRange(range.status());
    entrepot::fuzz::CheckOciError(range.status(),
                                  is_backward ? OciErrorCode::kRangeInvalid : OciErrorCode::kBlobUploadInvalid);
    return;
  }
  const uint64_t last = range->offset_bytes + range->length_bytes - 1;
  FUZZ_CHECK(range->length_bytes > 0);
  FUZZ_CHECK(range->offset_bytes <= last);
  FUZZ_CHECK(last <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  const auto again =
      entrepot::ParseUploadContentRange(std::to_string(range->offset_bytes) + "-" + std::to_string(last));
  FUZZ_CHECK(again.ok() && *again == *range);
}
