#ifndef ENTREPOT_SERVICES_BLOB_BLOB_BACKUPS_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_BACKUPS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/core/object_access.h"

namespace entrepot::blob {

// Copies of the store:
//   <directory>/<name>/blobs    all objects that are files (object_snapshot.h)
//   <directory>/<name>/kv       the service's records and small objects, where they are in a KV of its own
// The records are copied first: whatever they name is among the objects. A copy gets its name when it is whole. Calls
// come one after the other. Failpoints: blob.snapshot.{records_copied,objects_copied,copied}. Thread-safe.
class BlobBackups {
 public:
  // Copies the KV into a directory that is not there yet. Empty: the KV is another's to copy.
  using SnapshotKv = std::function<absl::Status(const std::string& directory)>;

  // The pointers outlive this.
  BlobBackups(std::string directory, SnapshotKv snapshot_kv, const BlobDirectory* blobs, SystemCalls* calls)
      : directory_(std::move(directory)), snapshot_kv_(std::move(snapshot_kv)), blobs_(*blobs), calls_(*calls) {}

  // `name` is one (ObjectAccess::Snapshot). kAlreadyExists.
  absl::StatusOr<ObjectSnapshot> Take(const std::string& name);

 private:
  absl::StatusOr<ObjectSnapshot> Copy(const std::string& to);

  const std::string directory_;
  const SnapshotKv snapshot_kv_;
  const BlobDirectory& blobs_;
  SystemCalls& calls_;
  absl::Mutex mutex_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_BACKUPS_H_
