#ifndef ENTREPOT_SERVICES_AUTH_ADMIN_ACCOUNT_BACKUPS_H_
#define ENTREPOT_SERVICES_AUTH_ADMIN_ACCOUNT_BACKUPS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/auth/v1/administration.pb.h"

namespace entrepot::auth {

// Backups of the service's records, in <directory>/<name>/kv. Runs one call at a time. Thread-safe.
class AccountBackups {
 public:
  // Copies a snapshot of the KV into a directory that does not exist yet. Empty if another service backs up the KV.
  using SnapshotKv = std::function<absl::Status(const std::string& directory)>;

  AccountBackups(std::string directory, SnapshotKv snapshot_kv)
      : directory_(std::move(directory)), snapshot_kv_(std::move(snapshot_kv)) {}

  // kInvalidArgument: the name is invalid (core/files/named_backup.h). kAlreadyExists: there is a backup of this name.
  // If another service backs up the KV, the result has no directory.
  absl::StatusOr<v1::AccountsBackup> Take(const std::string& name);

 private:
  const std::string directory_;
  const SnapshotKv snapshot_kv_;
  absl::Mutex mutex_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_ACCOUNT_BACKUPS_H_
