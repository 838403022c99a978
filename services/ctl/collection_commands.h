#ifndef ENTREPOT_SERVICES_CTL_COLLECTION_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_COLLECTION_COMMANDS_H_

#include <vector>

#include "services/ctl/command_line.h"

namespace entrepot::ctl {

// What the collector and the scrub did, do and would do.
std::vector<Command> CollectionCommands();

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COLLECTION_COMMANDS_H_
