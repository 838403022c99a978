#include "services/ctl/commands.h"

#include <iterator>
#include <utility>

#include "services/ctl/backup_commands.h"
#include "services/ctl/collection_commands.h"
#include "services/ctl/policy_commands.h"
#include "services/ctl/retention_commands.h"
#include "services/ctl/robot_commands.h"
#include "services/ctl/user_commands.h"

namespace entrepot::ctl {

const std::vector<Command>& AllCommands() {
  static const std::vector<Command> commands = [] {
    std::vector<Command> all;
    for (auto* const family :
         {&CollectionCommands, &BackupCommands, &RetentionCommands, &UserCommands, &RobotCommands, &PolicyCommands}) {
      std::vector<Command> some = family();
      all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    return all;
  }();
  return commands;
}

}  // namespace entrepot::ctl
