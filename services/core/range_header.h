#ifndef ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_
#define ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// A range of an object's bytes.
struct ByteRange {
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// Resolves a `Range` request header (RFC 9110 section 14.2) for an object of `size_bytes`. The result is
//
//   - no range, to serve the whole object: the header is malformed or not in bytes, or two of its ranges overlap. A
//     server may ignore such a header. Overlapping ranges would let a short header request an object many times over;
//   - the requested ranges in their order, clamped to the object, without those that are not in the object;
//   - kOutOfRange (RANGE_INVALID) if the header is well-formed and none of its ranges is in the object;
//   - kInvalidArgument without an OCI code if the header is well-formed and lists more than `ranges_max` ranges.
//   Clients that
//     need more (containers/image) then send several requests.
absl::StatusOr<std::vector<ByteRange>> ResolveRangeHeader(absl::string_view header, uint64_t size_bytes,
                                                          size_t ranges_max);

// Parses the `Content-Range` of an upload's chunk: `<first>-<last>`, both inclusive (OCI distribution specification,
// "Pushing a blob in chunks"; not the form of RFC 9110). kInvalidArgument if the text has another form or does not fit
// in 63 bits; kOutOfRange if last < first.
absl::StatusOr<ByteRange> ParseUploadContentRange(absl::string_view header);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_
