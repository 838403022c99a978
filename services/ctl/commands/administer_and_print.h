#ifndef ENTREPOT_SERVICES_CTL_COMMANDS_ADMINISTER_AND_PRINT_H_
#define ENTREPOT_SERVICES_CTL_COMMANDS_ADMINISTER_AND_PRINT_H_

#include <string>

#include "absl/status/statusor.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/command_line/command.h"

namespace entrepot::ctl {

// Has the auth service execute a request and prints the answer as `line` asks: JSON or text. `done` is printed as text
// if the answer has none. Returns kOk.
absl::StatusOr<int> AdministerAndPrint(const auth::v1::AdministerRequest& request, const CommandLine& line,
                                       RegistryClient& registry, const std::string& done = "");

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMANDS_ADMINISTER_AND_PRINT_H_
