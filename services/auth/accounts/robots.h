#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_ROBOTS_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_ROBOTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/auth/records/access_grant.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// Robots, the accounts for machines, in the KV. Each has a generated secret that is shown once, scopes of its own, and
// optionally an expiry. Deleting a robot deletes its memberships and refresh tokens too. Thread-safe. Changes are
// durable when a call returns.
class Robots {
 public:
  struct Robot {
    v1::Robot description;  // Everything except the last use.
    std::vector<AccessGrant> grants;
    std::string secret_sha256;

    absl::Time expires_at() const;
    bool IsExpired(absl::Time now) const { return expires_at() <= now; }
  };
  struct RobotWithSecret {
    Robot robot;
    std::string secret;
  };

  Robots(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  // Names have no prefix.
  absl::StatusOr<std::optional<Robot>> Find(absl::string_view name) const;
  // Sorted by name.
  absl::StatusOr<std::vector<Robot>> List() const;
  // kInvalidArgument: the name, a scope or the lifetime is invalid. kAlreadyExists: there is a robot of this name.
  absl::StatusOr<RobotWithSecret> Create(const v1::CreateRobot& command, absl::string_view created_by);
  // The old secret is no longer valid afterwards. kNotFound: there is no such robot.
  absl::StatusOr<RobotWithSecret> RotateSecret(absl::string_view name);
  // kNotFound: there is no such robot.
  absl::Status Delete(absl::string_view name);

  // For a transaction during which the robot must exist.
  static kv::Lock LockOf(absl::string_view name);
  static absl::StatusOr<bool> Exists(kv::KvReader& kv, absl::string_view name);

 private:
  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_ROBOTS_H_
