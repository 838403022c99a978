#include "services/ctl/commands/commands.h"

#include <iterator>

namespace entrepot::ctl {

const std::vector<Command>& AllCommands() {
  static const std::vector<Command> commands = [] {
    std::vector<Command> all;
    for (auto* const family : {&UserCommands, &RobotCommands, &TokenCommands, &PolicyCommands, &RepositoryCommands,
                               &UploadCommands, &RetentionCommands, &UpstreamsCommands, &ImageCommands, &GcCommands,
                               &CheckCommands, &BackupCommands, &SchemaCommands}) {
      std::vector<Command> some = family();
      all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    return all;
  }();
  return commands;
}

}  // namespace entrepot::ctl
