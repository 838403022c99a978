#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_READER_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_READER_H_

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verification_cache.h"
#include "services/blob/objects/verifying_stream.h"
#include "services/core/digest.h"
#include "services/core/files/owned_fd.h"
#include "services/core/range_header.h"
#include "services/core/storage_key.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// Where a client gets the object from another server.
struct ObjectUrl {
  std::string url;
};

// The bytes of a range: the bytes themselves, the open file that contains them (at the range's offset), a stream of
// them, or the URL of the object.
using ReadContent = std::variant<std::string, OwnedFd, std::unique_ptr<VerifyingStream>, ObjectUrl>;

// Reads objects, and never shows a corrupt object as whole. A file that is known to be good is returned as an open
// file, which is sent as fast as possible; any other file is hashed while it is read. An object of another server is a
// stream, which is hashed in the same cases. A part of an object cannot be
// checked: it is refused only if the object is known to be corrupt. Thread-safe; calls may block on the disk.
class VerifiedReader {
 public:
  // All arguments outlive this, and the contents that it returns.
  VerifiedReader(ObjectStore* reader, VerificationCache* verified, SystemCalls* calls, BlobMetrics* metrics)
      : reader_(*reader), verified_(*verified), calls_(*calls), metrics_(*metrics) {}

  // `whole` is set if the range is the whole object, or its rest after the part before has been sent: the digest of the
  // whole object. kNotFound; kDataLoss if the object does not contain the range or is known to be corrupt.
  // With ReadTier::kMemory it does not wait for the disk to read a value of the KV: kv::NotInMemory() if it must be
  // read.
  // The content is an ObjectUrl only if `redirected_client` is set, and the store redirects the client with that
  // address. The bytes behind it are not verified: clients compare them with the digest.
  // `requester`: ObjectReader::SetRequester().
  absl::StatusOr<ReadContent> Open(const StorageKey& key, const ByteRange& range, const std::optional<Digest>& whole,
                                   kv::ReadTier tier = kv::ReadTier::kDisk, absl::string_view redirected_client = "",
                                   const std::string& requester = "");

 private:
  absl::StatusOr<ReadContent> OpenValue(std::string bytes, const ByteRange& range, const std::optional<Digest>& whole);
  absl::StatusOr<ReadContent> OpenVersioned(const StorageKey& key, OpenObject object, const ByteRange& range,
                                            const std::optional<Digest>& whole, absl::string_view redirected_client);

  ObjectStore& reader_;
  VerificationCache& verified_;
  SystemCalls& calls_;
  BlobMetrics& metrics_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_READER_H_
