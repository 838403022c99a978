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

// Accounts for machines, in the KV: each with a secret that we make and show once, scopes of its own, and an end where
// one is wanted. A robot that is deleted takes memberships and refresh tokens along. Thread-safe; what changes is
// durable once a call returns.
class Robots {
 public:
  struct Robot {
    v1::Robot description;  // All but the last use.
    std::vector<AccessGrant> grants;
    std::string secret_sha256;

    absl::Time expires_at() const;
    bool IsExpired(absl::Time now) const { return expires_at() <= now; }
  };
  struct Made {
    Robot robot;
    std::string secret;
  };

  Robots(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  // Names are without the prefix.
  absl::StatusOr<std::optional<Robot>> Find(absl::string_view name) const;
  // In the order of their names.
  absl::StatusOr<std::vector<Robot>> List() const;
  // kInvalidArgument: a name, a scope or a lifetime that cannot be; kAlreadyExists.
  absl::StatusOr<Made> Create(const v1::CreateRobot& command, absl::string_view created_by);
  // The old secret is worth nothing from then on. kNotFound
  absl::StatusOr<Made> RotateSecret(absl::string_view name);
  // kNotFound
  absl::Status Delete(absl::string_view name);

  // For a transaction that needs a robot to be there until it is over.
  static kv::Lock LockOf(absl::string_view name);
  static absl::StatusOr<bool> Exists(kv::KvReader& kv, absl::string_view name);

 private:
  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_ROBOTS_H_
