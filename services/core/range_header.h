#ifndef ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_
#define ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// A run of bytes of some object.
struct ByteRange {
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// Resolves a `Range` request header (RFC 9110 section 14.2) against an object of `size_bytes`.
// - nullopt: serve the whole object. So for a header that is malformed, not in bytes, or names several
//   ranges (which a server may ignore).
// - a range: the one asked for, clamped to the object.
// - kOutOfRange: a well-formed single range that the object does not have (416).
absl::StatusOr<std::optional<ByteRange>> ResolveRangeHeader(absl::string_view header, uint64_t size_bytes);

// Parses the `Content-Range` of an upload's chunk: `<first>-<last>`, both inclusive (OCI distribution
// specification, "Pushing a blob in chunks"; not the form of RFC 9110). kInvalidArgument where it is not of
// that form or does not fit in 63 bits; kOutOfRange where last < first.
absl::StatusOr<ByteRange> ParseUploadContentRange(absl::string_view header);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_
