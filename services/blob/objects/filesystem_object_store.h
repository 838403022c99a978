#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_FILESYSTEM_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_FILESYSTEM_OBJECT_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "services/blob/io/disk_space.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/blob_directory.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"

namespace entrepot::blob {

// Objects as files (blob_directory.h). What Publish does, in this order: fdatasync of the staged file; rename to its
// final name, which must not exist; fsync of the directory. A failed sync, or an I/O error while writing, closes the
// gate; a full disk does not.
//
// Failpoints: blob.publish.{synced,renamed,directory_synced}, blob.delete.{unlinked,synced} and, with the new name of
// the object durable and the old one not yet gone for certain, blob.quarantine.{renamed,kept}.
class FilesystemObjectStore : public ObjectStore {
 public:
  // All arguments outlive the store.
  FilesystemObjectStore(const BlobDirectory* directory, SystemCalls* calls, WriteGate* gate, BlobMetrics* metrics)
      : directory_(*directory), calls_(*calls), gate_(*gate), metrics_(*metrics) {}

  absl::Status CheckWritable() const override { return gate_.Check(); }
  absl::Status CheckSpace() const override { return CheckDiskSpace(calls_, directory_.root()); }
  absl::StatusOr<std::unique_ptr<StagedObject>> OpenStaged(const UploadId& id, uint64_t size_bytes) override;
  absl::StatusOr<std::unique_ptr<StagedObject>> OpenPublished(const UploadId& id, uint64_t size_bytes) override;
  absl::Status Publish(const UploadId& id, std::unique_ptr<StagedObject> staged) override;
  absl::Status DiscardStaged(const UploadId& id) override;
  absl::StatusOr<std::vector<UploadId>> ListStaged() override;

  absl::StatusOr<OpenObject> Open(const StorageKey& key) override;
  absl::Status Delete(const StorageKey& key) override;
  absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) override {
    return directory_.List(calls_, start_after, limit);
  }

 private:
  absl::Status PublishDurably(const UploadId& id, std::unique_ptr<StagedObject> staged);
  absl::Status Rename(const UploadId& id, const StorageKey& key, int fan_out);
  absl::Status SyncDirectory(int fan_out);
  absl::StatusOr<OwnedFd> OpenFanOut(const StorageKey& key);
  absl::StatusOr<OpenObject> OpenFile(const StorageKey& key);
  absl::Status DeleteDurably(const StorageKey& key);
  absl::Status DeleteQuarantined(const StorageKey& key);
  absl::Status MoveToQuarantine(const StorageKey& key, int fan_out);
  // The write that failed with `error` is reported; a broken disk closes the gate.
  absl::Status FailWrite(absl::string_view action, int error);

  const BlobDirectory& directory_;
  SystemCalls& calls_;
  WriteGate& gate_;
  BlobMetrics& metrics_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_FILESYSTEM_OBJECT_STORE_H_
