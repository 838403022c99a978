#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/shared_hash.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::blob {

// The rest of a file, hashed while it is read, together with other streams of the same file. The last piece is returned
// only if the whole file has the expected digest; once it is known that it has not, no piece is. Not thread-safe; calls
// block on the disk.
class VerifyingStream {
 public:
  // `hash` is that of the whole file: the bytes before `offset_bytes` are hashed too. The pointers outlive this.
  VerifyingStream(OwnedFd file, uint64_t size_bytes, uint64_t offset_bytes, std::shared_ptr<SharedHash> hash,
                  SystemCalls* calls, BlobMetrics* metrics);

  uint64_t remaining_bytes() const { return size_bytes_ - offset_bytes_; }
  // Reads `size` bytes (> 0), fewer only at the end, and returns their number; 0 at the end. kDataLoss, instead of the
  // last piece, if the object is corrupt.
  absl::StatusOr<size_t> Read(char* data, size_t size);

 private:
  absl::Status ReadAt(char* data, size_t size, uint64_t offset_bytes);

  const OwnedFd file_;
  const uint64_t size_bytes_;
  uint64_t offset_bytes_;
  const std::shared_ptr<SharedHash> hash_;
  SystemCalls& calls_;
  BlobMetrics& metrics_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_
