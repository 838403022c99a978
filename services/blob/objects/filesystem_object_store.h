#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_FILESYSTEM_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_FILESYSTEM_OBJECT_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/blob_directory.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/store_owner.h"

namespace entrepot::blob {

// Objects as files (blob_directory.h). Publish does, in this order: fdatasync of the staged file; rename to its final
// name, which must not exist; fsync of the directory. A failed sync, or an I/O error on a write, closes the gate; a
// full disk does not. The gate also closes if another directory was put in the place of the store's: what is written
// would not be found after a restart.
//
// Failpoints: blob.publish.{synced,renamed,directory_synced}; blob.delete.{unlinked,synced}; and
// blob.quarantine.{renamed,kept}, reached when the object's new name exists, and when it is durable but the removal of
// the old name is not.
class FilesystemObjectStore : public StagingObjectStore {
 public:
  // The pointers outlive the store.
  FilesystemObjectStore(std::unique_ptr<BlobDirectory> directory, SystemCalls* calls, WriteGate* gate,
                        BlobMetrics* metrics)
      : directory_(std::move(directory)), calls_(*calls), gate_(*gate), metrics_(*metrics) {}

  absl::Status CheckWritable() const override;
  absl::Status CheckSpace() const override { return CheckDiskSpace(calls_, directory_->root()); }
  absl::StatusOr<DiskSpace> Space() const override { return GetDiskSpace(calls_, directory_->root()); }
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                           absl::string_view state) override;
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenPublished(const UploadId& id, uint64_t size_bytes) override;
  absl::Status Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) override;
  absl::Status DiscardStaged(const UploadId& id, absl::string_view state) override;
  absl::StatusOr<std::vector<UploadId>> ListStaged() override;
  // Also fails if another directory is in the store's place: upkeep asks for the owner before it deletes anything.
  absl::StatusOr<StoreOwner> ReadOwner() override;
  absl::Status WriteOwner(const StoreOwner& owner) override;
  // Hard links, or copies if `to` is in another file system (object_snapshot.h).
  absl::StatusOr<ObjectSnapshot> CopyTo(const std::string& to) override;

  absl::StatusOr<OpenObject> Open(const StorageKey& key) override;
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override;
  absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override;
  absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) override {
    return directory_->List(calls_, start_after, limit);
  }

 private:
  absl::Status PublishDurably(const UploadId& id, std::unique_ptr<StagedUpload> staged);
  absl::Status Rename(const UploadId& id, const StorageKey& key, int fan_out);
  absl::Status SyncDirectory(int fan_out);
  absl::StatusOr<OwnedFd> OpenFanOut(const StorageKey& key);
  absl::StatusOr<OpenObject> OpenFile(const StorageKey& key);
  std::vector<absl::Status> DeleteDurably(const std::vector<StorageKey>& keys);
  // OK if the name does not exist. Not synced.
  absl::Status RemoveName(int directory, const std::string& name);
  // Of the objects whose status is OK.
  void DeleteQuarantined(const std::vector<std::string>& names, std::vector<absl::Status>* statuses);
  absl::Status MoveToQuarantine(const StorageKey& key, int fan_out);
  // Reports the failed write, and closes the gate if the disk is broken.
  absl::Status FailWrite(absl::string_view action, int error);

  const std::unique_ptr<BlobDirectory> directory_;
  SystemCalls& calls_;
  WriteGate& gate_;
  BlobMetrics& metrics_;
  // Held while the owner is written.
  absl::Mutex owner_mutex_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_FILESYSTEM_OBJECT_STORE_H_
