#ifndef ENTREPOT_SERVICES_CORE_FILES_NAMED_BACKUP_H_
#define ENTREPOT_SERVICES_CORE_FILES_NAMED_BACKUP_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// Makes the backup <parent>/<name>. `fill` receives the path of an empty directory and writes the backup into it. The
// directory gets the backup's name once it is complete. An interrupted backup leaves a directory with another name,
// which the next backup of the same name deletes. Calls for the same parent must not overlap.
//
// kInvalidArgument if `name` is not valid; kAlreadyExists if the backup exists; or an error of `fill` or of
// durable_directory.h.
absl::Status MakeNamedBackup(const std::string& parent, const std::string& name,
                             absl::FunctionRef<absl::Status(const std::string& directory)> fill);

// The absolute path of the backup <parent>/<name>, for people.
std::string BackupDirectory(const std::string& parent, const std::string& name);

// kInvalidArgument unless `name` is valid for a backup: 1 to 64 characters of a-z 0-9 . _ -, not starting with a dot.
// The name becomes the name of a directory.
absl::Status CheckBackupName(absl::string_view name);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_NAMED_BACKUP_H_
