#ifndef ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_
#define ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_

#include <cstdint>
#include <optional>

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
//   - nullopt to serve the whole object: the header is malformed, is not in bytes, or lists several ranges (a server
//   may
//     ignore such a header);
//   - the requested range, clamped to the object;
//   - kOutOfRange (416) for a well-formed single range that is not in the object.
absl::StatusOr<std::optional<ByteRange>> ResolveRangeHeader(absl::string_view header, uint64_t size_bytes);

// Parses the `Content-Range` of an upload's chunk: `<first>-<last>`, both inclusive (OCI distribution specification,
// "Pushing a blob in chunks"; not the form of RFC 9110). kInvalidArgument if the text has another form or does not fit
// in 63 bits; kOutOfRange if last < first.
absl::StatusOr<ByteRange> ParseUploadContentRange(absl::string_view header);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_RANGE_HEADER_H_
