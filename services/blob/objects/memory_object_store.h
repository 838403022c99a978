#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_MEMORY_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_MEMORY_OBJECT_STORE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/objects/object_store.h"
#include "services/core/time/clock.h"

namespace entrepot::blob {

// Objects in memory, for tests that need no disk.
class MemoryObjectStore : public StagingObjectStore {
 public:
  // Without a clock it does not know when an object was written.
  explicit MemoryObjectStore(const Clock* clock = nullptr) : clock_(clock) {}

  absl::Status CheckWritable() const override { return absl::OkStatus(); }
  absl::Status CheckSpace() const override { return absl::OkStatus(); }
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                           absl::string_view state) override;
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenPublished(const UploadId& id, uint64_t size_bytes) override;
  absl::Status Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) override;
  absl::Status DiscardStaged(const UploadId& id, absl::string_view state) override;
  absl::StatusOr<std::vector<UploadId>> ListStaged() override;
  absl::StatusOr<DiskSpace> Space() const override { return absl::UnimplementedError("objects are in memory"); }
  absl::StatusOr<ObjectSnapshot> CopyTo(const std::string&) override {
    return absl::UnimplementedError("objects are in memory");
  }
  absl::StatusOr<StoreOwner> ReadOwner() override;
  absl::Status WriteOwner(const StoreOwner& owner) override;
  absl::StatusOr<OpenObject> Open(const StorageKey& key) override;
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override;
  absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override;
  absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) override;

  // Replaces the bytes of an existing object, as a bad disk may.
  void Damage(const StorageKey& key, std::string bytes);
  bool IsQuarantined(const StorageKey& key) const;

 private:
  struct Object {
    std::shared_ptr<std::string> bytes;
    std::optional<absl::Time> written_at;
  };

  const Clock* const clock_;
  mutable absl::Mutex mutex_;
  std::map<UploadId, std::shared_ptr<std::string>> staged_ ABSL_GUARDED_BY(mutex_);
  std::map<StorageKey, Object> objects_ ABSL_GUARDED_BY(mutex_);
  std::map<StorageKey, Object> quarantined_ ABSL_GUARDED_BY(mutex_);
  StoreOwner owner_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_MEMORY_OBJECT_STORE_H_
