#ifndef ENTREPOT_SERVICES_AUTH_ADMIN_ROBOT_ADMIN_H_
#define ENTREPOT_SERVICES_AUTH_ADMIN_ROBOT_ADMIN_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/auth/accounts/last_uses.h"
#include "services/auth/accounts/robots.h"

namespace entrepot::auth {

// entrepotctl's commands on robots. Names may have the prefix "robot+".
class RobotAdmin {
 public:
  // Both must outlive this object.
  RobotAdmin(Robots* robots, const LastUses* last_uses) : robots_(*robots), last_uses_(*last_uses) {}

  absl::StatusOr<v1::Robots> List();
  absl::StatusOr<v1::RobotSecret> Create(v1::CreateRobot command, absl::string_view created_by);
  absl::StatusOr<v1::RobotSecret> RotateSecret(const v1::RotateRobotSecret& command);
  absl::Status Delete(const v1::DeleteRobot& command);

 private:
  Robots& robots_;
  const LastUses& last_uses_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_ROBOT_ADMIN_H_
