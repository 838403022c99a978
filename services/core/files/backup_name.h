#ifndef ENTREPOT_SERVICES_CORE_FILES_BACKUP_NAME_H_
#define ENTREPOT_SERVICES_CORE_FILES_BACKUP_NAME_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// What a backup may be called, which becomes a directory's name: 1 to 64 of a-z 0-9 . _ -, the first one no dot.
// kInvalidArgument.
absl::Status CheckBackupName(absl::string_view name);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_BACKUP_NAME_H_
