#ifndef ENTREPOT_SERVICES_CORE_OBJECT_ACCESS_H_
#define ENTREPOT_SERVICES_CORE_OBJECT_ACCESS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/core/storage_key.h"

namespace entrepot {

struct StoredObject {
  StorageKey storage_key;
  uint64_t size_bytes = 0;
};

struct StoredObjectPage {
  std::vector<StoredObject> objects;
  // Where more follow: the next `start_after`. Else empty.
  std::string next = {};
};

// Of the files alone: small objects are values among the records.
struct ObjectSnapshot {
  uint64_t objects = 0;
  uint64_t object_bytes = 0;
};

// What the manifest service asks of the blob service: it alone knows which objects are somebody's, the blob service
// alone has their bytes. Implementations are thread-safe; calls block on a disk or a network. Besides what stands at
// each call: kUnavailable where the blob service cannot be reached, or may not write.
class ObjectAccess {
 public:
  virtual ~ObjectAccess() = default;

  // OK where an object of that size can be read; kNotFound; kDataLoss where it has another size.
  virtual absl::Status Check(const StorageKey& key, uint64_t size_bytes) = 0;
  // Reads all of it, `bytes_per_second` at most (0: as fast as it goes). kDataLoss where it is not what the digest says
  // or cannot be read; kNotFound.
  virtual absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) = 0;
  // For who is about to end: Verify() calls under way, which may take hours, and all later ones give kCancelled soon.
  virtual void StopVerifying() {}
  // With a quarantined copy of it. Already gone counts as success.
  virtual absl::Status Delete(const StorageKey& key) = 0;
  // Takes it from where it can be read, and keeps its bytes for the operator. Already gone counts as success.
  virtual absl::Status Quarantine(const StorageKey& key) = 0;

  // Objects that no upload session names and, as far as that is known, older than `age`, in the order of their keys.
  // A page may be shorter than `limit`, or empty, though more follow.
  virtual absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                         size_t limit) = 0;

  // Sealed uploads whose session has expired without anybody having said that it is committed, `limit` at most. They
  // stay listed, and their objects stay, until they are forgotten.
  virtual absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) = 0;
  // Already forgotten counts as success.
  virtual absl::Status ForgetAbandoned(const StorageKey& key) = 0;

  // All objects that are there now, as a copy in backups/<name> of the blob service's data directory; in a process of
  // its own with its records. kAlreadyExists; kInvalidArgument where the name is none.
  virtual absl::StatusOr<ObjectSnapshot> Snapshot(const std::string& name) = 0;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_OBJECT_ACCESS_H_
