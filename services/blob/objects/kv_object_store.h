#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_KV_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_KV_OBJECT_STORE_H_

#include <cstddef>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/core/storage_key.h"
#include "services/core/upload_id.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// Objects that are small enough to be values in the KV. There an object costs a share of one log sync; a file costs
// several synced system calls. Failpoints: blob.delete.recorded, blob.quarantine.recorded. Thread-safe.
class KvObjectStore : public ObjectStore {
 public:
  static constexpr size_t kObjectBytesMax = 64 << 10;

  // `durability` is for the transaction of DeleteAll(). Put() writes in a transaction of the caller. The arguments
  // outlive this.
  KvObjectStore(kv::KvEngine* kv, kv::Durability durability, BlobMetrics* metrics)
      : kv_(*kv), durability_(durability), metrics_(*metrics) {}

  // The key of the object that an upload becomes.
  static StorageKey KeyOf(const UploadId& id);
  // Writes an object in the transaction that also changes the session's record.
  static void Put(const StorageKey& key, absl::string_view bytes, kv::KvTransaction& transaction);

  absl::StatusOr<OpenObject> Open(const StorageKey& key) override { return OpenFrom(kv::ReadTier::kDisk, key); }
  absl::StatusOr<OpenObject> OpenInMemory(const StorageKey& key) override {
    return OpenFrom(kv::ReadTier::kMemory, key);
  }
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override;
  absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) override;
  // The bytes of an unreadable object are given up.
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override;
  absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) override;

 private:
  absl::StatusOr<OpenObject> OpenFrom(kv::ReadTier tier, const StorageKey& key);
  absl::Status DeleteInOneTransaction(const std::vector<StorageKey>& keys);

  kv::KvEngine& kv_;
  const kv::Durability durability_;
  BlobMetrics& metrics_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_KV_OBJECT_STORE_H_
