#ifndef ENTREPOT_SERVICES_CTL_BACKUP_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_BACKUP_COMMANDS_H_

#include <vector>

#include "services/ctl/command_line.h"

namespace entrepot::ctl {

// Checks, backups and what is made of them.
std::vector<Command> BackupCommands();

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_BACKUP_COMMANDS_H_
