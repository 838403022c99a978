#ifndef ENTREPOT_SERVICES_CTL_POLICY_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_POLICY_COMMANDS_H_

#include <vector>

#include "services/ctl/command_line.h"

namespace entrepot::ctl {

// Groups, the policy, what it says, the keys that sign, and repositories as a whole.
std::vector<Command> PolicyCommands();

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_POLICY_COMMANDS_H_
