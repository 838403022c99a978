#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verification_cache.h"
#include "services/core/digest.h"
#include "services/core/digester.h"
#include "services/core/files/owned_fd.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// The rest of a file, hashed while it is read. The last piece is returned only if the whole file has the expected
// digest. Not thread-safe; calls block on the disk.
class VerifyingStream {
 public:
  struct Object {
    StorageKey key;
    ObjectVersion version;
    Digest digest;
    OwnedFd file;
  };

  // The bytes before `offset_bytes` are read and hashed too. The pointers outlive this.
  VerifyingStream(Object object, uint64_t offset_bytes, VerificationCache* verified, SystemCalls* calls,
                  BlobMetrics* metrics);

  uint64_t remaining_bytes() const { return object_.version.size_bytes - offset_bytes_; }
  // Reads `size` bytes (> 0), fewer only at the end, and returns their number; 0 at the end. kDataLoss, instead of the
  // last piece, if the object is corrupt.
  absl::StatusOr<size_t> Read(char* data, size_t size);

 private:
  absl::StatusOr<size_t> ReadAndHash(char* data, size_t size, uint64_t offset_bytes);
  absl::Status HashSkippedBytes();
  absl::Status CheckDigest();

  const Object object_;
  uint64_t offset_bytes_;
  Digester digester_;
  VerificationCache& verified_;
  SystemCalls& calls_;
  BlobMetrics& metrics_;
};

// kDataLoss: the bytes do not have this digest.
absl::Status WrongDigest(const Digest& digest);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFYING_STREAM_H_
