#include "services/core/files/named_backup.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "services/core/files/backup_name.h"
#include "services/core/files/durable_directory.h"
#include "services/status/status_macros.h"

namespace entrepot {

absl::Status MakeNamedBackup(const std::string& parent, const std::string& name,
                             absl::FunctionRef<absl::Status(const std::string& directory)> fill) {
  RETURN_IF_ERROR(CheckBackupName(name));
  const std::string whole = absl::StrCat(parent, "/", name);
  if (std::error_code error; std::filesystem::exists(whole, error)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a backup ", whole));
  }
  const std::string partial = absl::StrCat(parent, "/.", name, ".partial");
  RETURN_IF_ERROR(RemoveTree(partial));
  absl::Status made = MakeDirectoryDurably(partial);
  if (made.ok()) made = fill(partial);
  if (made.ok()) made = RenameDurably(partial, whole);
  if (!made.ok()) RemoveTree(partial).IgnoreError();
  return made;
}

}  // namespace entrepot
