#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_DIRECTORY_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_DIRECTORY_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/auth/accounts/accounts_file.h"
#include "services/auth/accounts/memberships.h"
#include "services/auth/accounts/robots.h"
#include "services/auth/accounts/stored_users.h"
#include "services/auth/credentials/bcrypt_hash.h"
#include "services/auth/records/account.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// All accounts, wherever they are kept. A user of the accounts file comes before one of that name in the KV.
// Thread-safe.
class AccountDirectory {
 public:
  AccountDirectory(kv::KvEngine* kv, const Clock* clock, const AccountsFile* file);

  // The account, as its credential would make it known; nullopt where there is none, or it has expired. An account of
  // an identity provider is taken as it is: what its claims gave it is not known here.
  absl::StatusOr<std::optional<Account>> Find(absl::string_view account) const;
  // For asking what an account may do, whether it is there or not.
  absl::StatusOr<Account> FindOrAssume(absl::string_view account) const;

  // What a user's password is verified against; nullopt where there is no such user.
  absl::StatusOr<std::optional<BcryptHash>> PasswordHashOf(absl::string_view user) const;
  // The cost of the costliest hash of any user.
  int hash_cost_max() const;
  bool IsInFile(absl::string_view user) const;

  // kNotFound: there is no such user.
  absl::Status AddToGroup(absl::string_view group, absl::string_view user, absl::string_view added_by);

  StoredUsers& users() { return users_; }
  Robots& robots() { return robots_; }
  Memberships& memberships() { return memberships_; }
  const AccountsFile& file() const { return file_; }

  // The robot of an account "robot+NAME", expired or not; where there is none, one that no secret fits: it costs as
  // much.
  absl::StatusOr<Robots::Robot> FindRobot(absl::string_view account) const;
  bool IsExpired(const Robots::Robot& robot) const { return robot.IsExpired(clock_.Now()); }

  // Of what a credential is verified against.
  absl::StatusOr<Account> UserAccount(absl::string_view name, const BcryptHash& hash) const;
  absl::StatusOr<Account> RobotAccount(const Robots::Robot& robot) const;
  absl::StatusOr<policy::Subject> SubjectOf(absl::string_view account) const;

 private:
  const Clock& clock_;
  const AccountsFile& file_;
  StoredUsers users_;
  Robots robots_;
  Memberships memberships_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_DIRECTORY_H_
