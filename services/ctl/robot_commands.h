#ifndef ENTREPOT_SERVICES_CTL_ROBOT_COMMANDS_H_
#define ENTREPOT_SERVICES_CTL_ROBOT_COMMANDS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "google/protobuf/duration.pb.h"
#include "services/ctl/command_line.h"

namespace entrepot::ctl {

// Accounts of machines.
std::vector<Command> RobotCommands();

// "driftwood/**,base:pull,push": repositories, the last colon, actions. kInvalidArgument: it is not of that form.
absl::StatusOr<auth::v1::RobotScope> ParseRobotScope(absl::string_view text);

// "720h", "90m", "30d". kInvalidArgument: it is none, or not longer than 0.
absl::StatusOr<google::protobuf::Duration> ParseLifetime(absl::string_view text);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_ROBOT_COMMANDS_H_
