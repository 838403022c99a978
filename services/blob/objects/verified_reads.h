#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_READS_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_READS_H_

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_reader.h"
#include "services/blob/objects/verified_objects.h"
#include "services/blob/objects/verifying_stream.h"
#include "services/core/byte_range.h"
#include "services/core/digest.h"
#include "services/core/files/owned_fd.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// The bytes of a range: themselves; or the open file in which they are, at the range's offset; or a stream of them.
using ReadContent = std::variant<std::string, OwnedFd, std::unique_ptr<VerifyingStream>>;

// Reads of objects that never show a corrupt one as whole. One whose file is known to be good is an open file, as fast
// as that can be sent; any other is hashed while it is read. A part cannot be checked: only what is known to be corrupt
// is refused. Thread-safe; calls may block on the disk.
class VerifiedReads {
 public:
  // All outlive this, and what it hands out.
  VerifiedReads(ObjectReader* reader, VerifiedObjects* verified, SystemCalls* calls, BlobMetrics* metrics)
      : reader_(*reader), verified_(*verified), calls_(*calls), metrics_(*metrics) {}

  // `whole`: the digest of the object, of which the range is all, or the rest where what is before has been sent.
  // kNotFound; kDataLoss where the object does not have the range, or is known not to be what it should be.
  absl::StatusOr<ReadContent> Open(const StorageKey& key, const ByteRange& range, const std::optional<Digest>& whole);

 private:
  absl::StatusOr<ReadContent> OpenValue(std::string bytes, const ByteRange& range, const std::optional<Digest>& whole);
  absl::StatusOr<ReadContent> OpenFile(const StorageKey& key, OpenObject object, const ByteRange& range,
                                       const std::optional<Digest>& whole);

  ObjectReader& reader_;
  VerifiedObjects& verified_;
  SystemCalls& calls_;
  BlobMetrics& metrics_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_READS_H_
