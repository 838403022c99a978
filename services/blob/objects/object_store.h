#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/objects/object_tier.h"
#include "services/core/storage_key.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// The bytes of one upload on their way to becoming an object. Not thread-safe; calls block on the disk.
class StagedObject {
 public:
  virtual ~StagedObject() = default;

  // How many bytes it holds; an Append that failed leaves it as it was.
  virtual uint64_t size_bytes() const = 0;
  // Adds at the end. The bytes survive the process, not a power cut. kUnavailable: the disk is full or broken.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Cuts off what is behind the first `size_bytes`, no more than it holds, and gives the disk its space back.
  virtual absl::Status Truncate(uint64_t size_bytes) = 0;
  // Makes what it holds durable. After a failure its bytes are not to be relied on.
  virtual absl::Status Sync() = 0;
  // Gives all bytes to `take`, in order and in pieces. kDataLoss where they cannot be read.
  virtual absl::Status Read(const std::function<void(absl::string_view)>& take) = 0;
};

// Objects too large for the KV. An upload's id names its staged bytes, and its object: at most one comes of it.
// Implementations are thread-safe, but of one upload only one thread at a time may do anything.
//
// Every write but DiscardStaged is kUnavailable (UNAVAILABLE) while the store is read-only, and where the disk is full.
// A missing object or upload is kNotFound.
class ObjectStore : public ObjectTier {
 public:
  // The key of the object that an upload becomes.
  static StorageKey KeyOf(const UploadId& id);

  // OK, or kUnavailable with the reason why the store is read-only.
  virtual absl::Status CheckWritable() const = 0;
  // OK, or kUnavailable where there is no space to begin anything. Some is kept back, for whoever shares the disk.
  virtual absl::Status CheckSpace() const = 0;

  // What is staged for an upload, cut to its first `size_bytes`; zero begins anew. kNotFound where it holds fewer.
  virtual absl::StatusOr<std::unique_ptr<StagedObject>> OpenStaged(const UploadId& id, uint64_t size_bytes) = 0;
  // For a Publish whose outcome is unknown: the upload's object, if it is there and has that size. Publish may be
  // called on it to make sure.
  virtual absl::StatusOr<std::unique_ptr<StagedObject>> OpenPublished(const UploadId& id, uint64_t size_bytes) = 0;
  // Makes what is staged the object KeyOf(id), durable when this returns. On an error nothing is published; where bytes
  // may have been lost on their way to the disk they are deleted, so that OpenStaged finds nothing.
  virtual absl::Status Publish(const UploadId& id, std::unique_ptr<StagedObject> staged) = 0;
  // Nothing staged is no error.
  virtual absl::Status DiscardStaged(const UploadId& id) = 0;
  // The uploads that have something staged.
  virtual absl::StatusOr<std::vector<UploadId>> ListStaged() = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_H_
