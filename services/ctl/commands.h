#ifndef ENTREPOT_SERVICES_CTL_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_COMMANDS_H_

#include <vector>

#include "services/ctl/command_line.h"

namespace entrepot::ctl {

// All that entrepotctl does, in the order of its help.
const std::vector<Command>& AllCommands();

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMANDS_H_
