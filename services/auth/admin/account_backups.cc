#include "services/auth/admin/account_backups.h"

#include "absl/strings/str_cat.h"
#include "services/core/files/named_backup.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

absl::StatusOr<v1::AccountsBackup> AccountBackups::Take(const std::string& name) {
  v1::AccountsBackup backup;
  if (!snapshot_kv_) return backup;
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(MakeNamedBackup(
      directory_, name, [this](const std::string& directory) { return snapshot_kv_(absl::StrCat(directory, "/kv")); }));
  backup.set_directory(BackupDirectory(directory_, name));
  return backup;
}

}  // namespace entrepot::auth
