#ifndef ENTREPOT_SERVICES_CTL_PASSWORDS_H_
#define ENTREPOT_SERVICES_CTL_PASSWORDS_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::ctl {

// The first line of a file, "-" for the standard input. kInvalidArgument: it cannot be read, or the line is empty.
absl::StatusOr<std::string> PasswordInFile(const std::string& path);

// Asks the terminal, which shows nothing of what is typed. kInvalidArgument: there is no terminal; the message ends
// with `instead` ("use --password-file"). kCancelled: Ctrl-C.
absl::StatusOr<std::string> AskPassword(const std::string& prompt, const std::string& instead);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_PASSWORDS_H_
