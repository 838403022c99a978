#ifndef ENTREPOT_SERVICES_CORE_BLOB_STORAGE_H_
#define ENTREPOT_SERVICES_CORE_BLOB_STORAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/core/open_uploads.h"
#include "services/core/storage_key.h"
#include "services/core/waiting.h"

namespace entrepot {

struct StoredObject {
  StorageKey storage_key;
  uint64_t size_bytes = 0;
};

struct StoredObjectPage {
  std::vector<StoredObject> objects;
  // The next `start_after` if more objects follow, else empty.
  std::string next = {};
};

// Counts only files; small objects are values among the records.
struct ObjectSnapshot {
  uint64_t objects = 0;
  uint64_t object_bytes = 0;
  // Of the snapshot, on the machine of the blob service.
  std::string directory = {};
};

// What a store of objects knows about the catalog that uses it (manifest/gc/store_binding.h).
struct StoreOwner {
  // The id of the catalog; empty if no catalog has been recorded.
  std::string catalog_id = {};
  // The catalog's generation when it was recorded last.
  uint64_t generation = 0;

  friend bool operator==(const StoreOwner&, const StoreOwner&) = default;
};

// The blob service's objects as the manifest service manages them. Only the manifest service knows which objects are
// referenced, and only the blob service has their bytes. Implementations are thread-safe; calls block on a disk or a
// network. Every call may also give kUnavailable, if the blob service cannot be reached or may not write.
class BlobStorage {
 public:
  virtual ~BlobStorage() = default;

  // OK if an object of that size can be read; kNotFound if there is none; kDataLoss if it has another size.
  virtual absl::Status Check(const StorageKey& key, uint64_t size_bytes) = 0;
  // Reads the whole object, at most `bytes_per_second` (0: as fast as possible), and compares its digest. kDataLoss if
  // the digest differs or the object cannot be read; kNotFound if there is none.
  virtual absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) = 0;
  // Makes running Verify() calls, which may take hours, and all later ones give kCancelled soon. For the end of a
  // process.
  virtual void StopVerifying() {}
  // Deletes the objects and their quarantined copies, durably. Returns a status for each key, in their order: OK also
  // if the object does not exist. A failure concerns only its object, unless the blob service cannot be reached. One
  // call for many objects is much cheaper than a call for each.
  virtual std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) = 0;
  absl::Status Delete(const StorageKey& key) { return DeleteAll({key}).front(); }
  // Hides the object from all reads, and keeps its bytes for the operator. OK if it does not exist.
  virtual absl::Status Quarantine(const StorageKey& key) = 0;
  // The quarantined objects, at most `limit` of them, and when they were quarantined, as far as that is known.
  virtual absl::StatusOr<Waiting> CountQuarantined(size_t limit) = 0;

  // Objects that no upload session references and that are older than `age`, as far as their age is known, in the order
  // of their keys. A page may be shorter than `limit`, or empty, even if more objects follow.
  virtual absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                         size_t limit) = 0;

  // Sealed uploads whose session has expired without a report that the upload was committed, at most `limit`. They stay
  // listed, and their objects stay, until they are forgotten.
  virtual absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) = 0;
  // OK if it is forgotten already.
  virtual absl::Status ForgetAbandoned(const StorageKey& key) = 0;

  // Open upload sessions that match the filter and whose id is greater than `start_after`, in the order of their ids,
  // at most `limit`.
  virtual absl::StatusOr<OpenUploadPage> ListUploads(const UploadFilter& filter, const std::string& start_after,
                                                     size_t limit) = 0;
  // Deletes the open upload sessions that match, with their bytes. Their clients get kNotFound (BLOB_UPLOAD_UNKNOWN).
  virtual absl::StatusOr<CancelledUploads> CancelUploads(const UploadFilter& filter) = 0;
  virtual absl::StatusOr<UploadTotals> CountUploads() = 0;

  // The catalog that uses the store. Cheap: also tells whether the blob service answers.
  virtual absl::StatusOr<StoreOwner> ReadOwner() = 0;
  // Records the catalog, durably.
  virtual absl::Status WriteOwner(const StoreOwner& owner) = 0;
  // Whether there is any object. May read every directory of the store.
  virtual absl::StatusOr<bool> HasObjects() = 0;

  // Copies all current objects to backups/<name> in the blob service's data directory; a blob service of its own
  // process copies its records too. kAlreadyExists if there is a backup of that name; kInvalidArgument if the name is
  // not valid. The owner is not copied: a restored store belongs to the catalog that is restored with it.
  virtual absl::StatusOr<ObjectSnapshot> Snapshot(const std::string& name) = 0;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_BLOB_STORAGE_H_
