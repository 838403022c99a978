#include "services/auth/admin/robot_admin.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/auth/records/account_name.h"
#include "services/core/time/proto_time.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

absl::StatusOr<std::string> ParseName(absl::string_view text) {
  const absl::string_view name = RobotNameOf(text).value_or(text);
  RETURN_IF_ERROR(CheckRobotName(name));
  return std::string(name);
}

v1::RobotSecret Show(const Robots::RobotWithSecret& made) {
  v1::RobotSecret answer;
  *answer.mutable_robot() = made.robot.description;
  answer.set_account(RobotAccount(made.robot.description.name()));
  answer.set_secret(made.secret);
  return answer;
}

}  // namespace

absl::StatusOr<v1::Robots> RobotAdmin::List() {
  ASSIGN_OR_RETURN(std::vector<Robots::Robot> robots, robots_.List());
  v1::Robots answer;
  for (Robots::Robot& robot : robots) {
    v1::Robot* const shown = answer.add_robots();
    *shown = std::move(robot.description);
    ASSIGN_OR_RETURN(const std::optional<absl::Time> used_at, last_uses_.Find(RobotAccount(shown->name())));
    if (used_at.has_value()) *shown->mutable_last_used_at() = ToTimestamp(*used_at);
  }
  return answer;
}

absl::StatusOr<v1::RobotSecret> RobotAdmin::Create(v1::CreateRobot command, absl::string_view created_by) {
  ASSIGN_OR_RETURN(std::string name, ParseName(command.name()));
  command.set_name(std::move(name));
  ASSIGN_OR_RETURN(const Robots::RobotWithSecret made, robots_.Create(command, created_by));
  return Show(made);
}

absl::StatusOr<v1::RobotSecret> RobotAdmin::RotateSecret(const v1::RotateRobotSecret& command) {
  ASSIGN_OR_RETURN(const std::string name, ParseName(command.name()));
  ASSIGN_OR_RETURN(const Robots::RobotWithSecret made, robots_.RotateSecret(name));
  return Show(made);
}

absl::Status RobotAdmin::Delete(const v1::DeleteRobot& command) {
  ASSIGN_OR_RETURN(const std::string name, ParseName(command.name()));
  return robots_.Delete(name);
}

}  // namespace entrepot::auth
