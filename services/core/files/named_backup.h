#ifndef ENTREPOT_SERVICES_CORE_FILES_NAMED_BACKUP_H_
#define ENTREPOT_SERVICES_CORE_FILES_NAMED_BACKUP_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace entrepot {

// Makes <parent>/<name> of what `fill` puts into the directory that it is given, which is there and empty. The backup
// gets its name when it is whole; what one that was cut off has left under another name goes with the next of the same
// name. Two calls for one parent must not run at once.
//
// kInvalidArgument: `name` is none (backup_name.h); kAlreadyExists; those of `fill` and of durable_directory.h.
absl::Status MakeNamedBackup(const std::string& parent, const std::string& name,
                             absl::FunctionRef<absl::Status(const std::string& directory)> fill);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_NAMED_BACKUP_H_
