#include "services/blob/blob_backups.h"

#include "absl/strings/str_cat.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/files/named_backup.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

absl::StatusOr<ObjectSnapshot> BlobBackups::Make(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  ObjectSnapshot snapshot;
  RETURN_IF_ERROR(MakeNamedBackup(directory_, name, [&](const std::string& directory) -> absl::Status {
    ASSIGN_OR_RETURN(snapshot, Copy(directory));
    return absl::OkStatus();
  }));
  snapshot.directory = BackupDirectory(directory_, name);
  return snapshot;
}

absl::StatusOr<ObjectSnapshot> BlobBackups::Copy(const std::string& to) {
  if (snapshot_kv_) RETURN_IF_ERROR(snapshot_kv_(absl::StrCat(to, "/kv")));
  RETURN_IF_ERROR(Failpoint("blob.snapshot.records_copied"));
  ASSIGN_OR_RETURN(ObjectSnapshot snapshot, store_.CopyTo(absl::StrCat(to, "/blobs")));
  RETURN_IF_ERROR(Failpoint("blob.snapshot.copied"));
  return snapshot;
}

}  // namespace entrepot::blob
