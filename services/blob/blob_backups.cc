#include "services/blob/blob_backups.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "services/blob/object_snapshot.h"
#include "services/core/durable_directory.h"
#include "services/core/failpoint.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

absl::StatusOr<ObjectSnapshot> BlobBackups::Take(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  const std::string whole = absl::StrCat(directory_, "/", name);
  if (std::error_code error; std::filesystem::exists(whole, error)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a backup ", whole));
  }
  const std::string partial = absl::StrCat(directory_, "/.", name, ".objects");
  // Of one that was cut off.
  RETURN_IF_ERROR(RemoveTree(partial));
  absl::StatusOr<ObjectSnapshot> snapshot = Copy(partial);
  if (snapshot.ok()) {
    if (absl::Status named = RenameDurably(partial, whole); !named.ok()) snapshot = std::move(named);
  }
  if (!snapshot.ok()) RemoveTree(partial).IgnoreError();
  return snapshot;
}

absl::StatusOr<ObjectSnapshot> BlobBackups::Copy(const std::string& to) {
  RETURN_IF_ERROR(MakeDirectoryDurably(to));
  if (snapshot_kv_) RETURN_IF_ERROR(snapshot_kv_(absl::StrCat(to, "/kv")));
  RETURN_IF_ERROR(Failpoint("blob.snapshot.records_copied"));
  ASSIGN_OR_RETURN(const ObjectSnapshot snapshot, CopyObjects(calls_, blobs_, absl::StrCat(to, "/blobs")));
  RETURN_IF_ERROR(Failpoint("blob.snapshot.copied"));
  return snapshot;
}

}  // namespace entrepot::blob
