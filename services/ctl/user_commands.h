#ifndef ENTREPOT_SERVICES_CTL_USER_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_USER_COMMANDS_H_

#include <vector>

#include "services/ctl/command_line.h"

namespace entrepot::ctl {

// People who log in with a password.
std::vector<Command> UserCommands();

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_USER_COMMANDS_H_
