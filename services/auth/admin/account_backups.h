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

// Copies of the service's records: <directory>/<name>/kv. Calls come one after the other. Thread-safe.
class AccountBackups {
 public:
  // Copies the KV, as it is at one moment, into a directory that is not there yet. Empty: the KV is another service's
  // to copy.
  using SnapshotKv = std::function<absl::Status(const std::string& directory)>;

  AccountBackups(std::string directory, SnapshotKv snapshot_kv)
      : directory_(std::move(directory)), snapshot_kv_(std::move(snapshot_kv)) {}

  // kInvalidArgument: the name is none (core/files/backup_name.h); kAlreadyExists. No directory where there is nothing
  // to do.
  absl::StatusOr<v1::AccountsBackup> Take(const std::string& name);

 private:
  const std::string directory_;
  const SnapshotKv snapshot_kv_;
  absl::Mutex mutex_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_ACCOUNT_BACKUPS_H_
