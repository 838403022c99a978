#ifndef ENTREPOT_SERVICES_CTL_COMMANDS_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_COMMANDS_COMMANDS_H_

#include <vector>

#include "services/ctl/command_line/command.h"

namespace entrepot::ctl {

// All commands of entrepotctl, in the order of its help. To add one, add it to the table of its family; to add a
// family, declare its table below and name it in AllCommands().
const std::vector<Command>& AllCommands();

// The table of each family, in the source of its name (UserCommands() in user_commands.cc).
std::vector<Command> UserCommands();        // users, hash-password
std::vector<Command> RobotCommands();       // robots
std::vector<Command> TokenCommands();       // tokens, keys
std::vector<Command> PolicyCommands();      // policy, explain, groups
std::vector<Command> RepositoryCommands();  // repositories, du
std::vector<Command> UploadCommands();      // uploads
std::vector<Command> RetentionCommands();   // retention
std::vector<Command> UpstreamsCommands();   // upstreams
std::vector<Command> ImageCommands();       // export, import
std::vector<Command> GcCommands();          // gc
std::vector<Command> CheckCommands();       // check, scrub
std::vector<Command> BackupCommands();      // backup, restore
std::vector<Command> SchemaCommands();      // schema

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMANDS_COMMANDS_H_
