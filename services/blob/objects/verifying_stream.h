#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_reader.h"
#include "services/blob/objects/shared_hash.h"

namespace entrepot::blob {

// Bytes of an object that is not sent as a file. If they are hashed, they are the object's rest, hashed while it is
// read, together with other streams of the same object: the last piece is returned only if the whole object has the
// expected digest; once it is known that it has not, no piece is. Not thread-safe; calls block on the disk or on a
// server.
class VerifyingStream {
 public:
  // The bytes from `offset_bytes` to `end_bytes`. `hash` is that of the whole object: the bytes before `offset_bytes`
  // are hashed too, and `end_bytes` is the object's size. Null: the bytes are not hashed. `metrics` outlives this.
  VerifyingStream(std::unique_ptr<ObjectReader> reader, uint64_t offset_bytes, uint64_t end_bytes,
                  std::shared_ptr<SharedHash> hash, BlobMetrics* metrics);

  // Whether reading costs the time of hashing.
  bool is_hashed() const { return hash_ != nullptr; }
  uint64_t remaining_bytes() const { return end_bytes_ - offset_bytes_; }
  // Reads `size` bytes (> 0), fewer only at the end, and returns their number; 0 at the end. kDataLoss, instead of the
  // last piece, if the object is corrupt.
  absl::StatusOr<size_t> Read(char* data, size_t size);

 private:
  absl::Status ReadAt(char* data, size_t size, uint64_t offset_bytes);

  const std::unique_ptr<ObjectReader> reader_;
  uint64_t offset_bytes_;
  const uint64_t end_bytes_;
  const std::shared_ptr<SharedHash> hash_;
  BlobMetrics& metrics_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_
