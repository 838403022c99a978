#ifndef ENTREPOT_SERVICES_BLOB_BLOB_BACKUPS_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_BACKUPS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/objects/object_store.h"
#include "services/core/blob_storage.h"

namespace entrepot::blob {

// Backups of the blob service:
//   <directory>/<name>/blobs    all large objects (StagingObjectStore::CopyTo)
//   <directory>/<name>/kv       the service's records and small objects, if they are in a KV of its own
// The records are copied first, so that the backup contains every object that they name. A backup gets its name when it
// is complete. One backup runs at a time. Failpoints: blob.snapshot.{records_copied,objects_copied,copied}.
// Thread-safe.
class BlobBackups {
 public:
  // Copies the KV into a directory that does not exist yet. Empty if the KV is not this service's own.
  using SnapshotKv = std::function<absl::Status(const std::string& directory)>;

  // The pointers outlive this.
  BlobBackups(std::string directory, SnapshotKv snapshot_kv, StagingObjectStore* store)
      : directory_(std::move(directory)), snapshot_kv_(std::move(snapshot_kv)), store_(*store) {}

  // `name` must be valid (services/core/files/named_backup.h). kAlreadyExists if there is a backup of that name.
  absl::StatusOr<ObjectSnapshot> Make(const std::string& name);

 private:
  absl::StatusOr<ObjectSnapshot> Copy(const std::string& to);

  const std::string directory_;
  const SnapshotKv snapshot_kv_;
  StagingObjectStore& store_;
  absl::Mutex mutex_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_BACKUPS_H_
