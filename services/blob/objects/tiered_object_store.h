#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_TIERED_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_TIERED_OBJECT_STORE_H_

#include "services/blob/io/write_gate.h"
#include "services/blob/objects/object_store.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// The objects of both tiers: each call goes to the store of the tier that the key names. DeleteAll and Quarantine are
// kUnavailable while the store is read-only: a disk that failed a sync cannot promise them, and a deleted object cannot
// be restored. Thread-safe.
class TieredObjectStore : public ObjectStore {
 public:
  // All arguments outlive this.
  TieredObjectStore(ObjectStore* files, ObjectStore* values, const WriteGate* gate)
      : files_(*files), values_(*values), gate_(*gate) {}

  absl::StatusOr<OpenObject> Open(const StorageKey& key) override;
  absl::StatusOr<OpenObject> OpenInMemory(const StorageKey& key) override;
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override;
  absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override;
  // The keys of files come before the keys of values.
  absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) override;

 private:
  ObjectStore& TierOf(const StorageKey& key);

  ObjectStore& files_;
  ObjectStore& values_;
  const WriteGate& gate_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_TIERED_OBJECT_STORE_H_
