#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_READER_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::blob {

// The bytes of an open object. Fastest if they are read in order. Not thread-safe; calls block.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  // Whose share of what is bounded the reads count against (Requester() in core/client_network.h); empty: of none.
  // Before the first read.
  virtual void SetRequester(const std::string&) {}
  // A hint: the caller will read these bytes, and perhaps no others.
  virtual void WillRead(uint64_t, uint64_t) {}
  // Reads `size` bytes (> 0), fewer only at the object's end, and returns their number. kDataLoss if they cannot be
  // read or the object is another one than it was; kNotFound if it was deleted; kUnavailable.
  virtual absl::StatusOr<size_t> ReadAt(char* data, size_t size, uint64_t offset_bytes) = 0;
  // A URL at which the client with this address gets the object from another server; empty if it does not.
  virtual absl::StatusOr<std::string> UrlFor(absl::string_view) { return std::string(); }
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_READER_H_
