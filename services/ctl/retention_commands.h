#ifndef ENTREPOT_SERVICES_CTL_RETENTION_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_RETENTION_COMMANDS_H_

#include <vector>

#include "services/ctl/command_line.h"

namespace entrepot::ctl {

// What repositories hold, and what of it may go.
std::vector<Command> RetentionCommands();

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_RETENTION_COMMANDS_H_
