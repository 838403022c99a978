#ifndef ENTREPOT_SERVICES_CTL_COMMANDS_ACCOUNTS_FILE_EDIT_H_
#define ENTREPOT_SERVICES_CTL_COMMANDS_ACCOUNTS_FILE_EDIT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::ctl {

// Puts the line `name:hash` into the accounts file at `path`: in place of the user's line, or at the end. Other lines
// and comments stay. A file that is missing is made. The file is replaced as a whole, so that a registry never reads a
// part of it, and its mode becomes 0600. Returns whether a line was replaced.
//
// kInvalidArgument: the file is not an accounts file; kFailedPrecondition: it cannot be read or written. The file then
// stays as it is.
absl::StatusOr<bool> PutAccount(const std::string& path, absl::string_view name, absl::string_view hash);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMANDS_ACCOUNTS_FILE_EDIT_H_
