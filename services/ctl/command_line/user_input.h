#ifndef ENTREPOT_SERVICES_CTL_COMMAND_LINE_USER_INPUT_H_
#define ENTREPOT_SERVICES_CTL_COMMAND_LINE_USER_INPUT_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::ctl {

// The content of a file that the user named. kInvalidArgument if it cannot be read.
absl::StatusOr<std::string> ReadInputFile(const std::string& path);

// The first line of a file, or of the standard input if `path` is "-". kInvalidArgument if it cannot be read or the
// line is empty.
absl::StatusOr<std::string> PasswordInFile(const std::string& path);

// Asks for a password at the terminal, which does not show it. kInvalidArgument if there is no terminal, with a message
// that ends with `instead` ("use --password-file"), or if the password is empty. kCancelled on Ctrl-C.
absl::StatusOr<std::string> AskPassword(const std::string& prompt, const std::string& instead);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMAND_LINE_USER_INPUT_H_
