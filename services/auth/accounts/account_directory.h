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

// All accounts: the users of the accounts file and those of the KV, and robots. If both have a user of the same name,
// the one of the file is used. Thread-safe.
class AccountDirectory {
 public:
  AccountDirectory(kv::KvEngine* kv, const Clock* clock, const AccountsFile* file);

  // The account, as it would be after a login. nullopt if there is none, or it has expired. The account of an identity
  // provider is returned without checks and without grants: those of its claims are not stored.
  absl::StatusOr<std::optional<Account>> Find(absl::string_view account) const;
  // The same for questions about what an account may do, whether it exists or not.
  absl::StatusOr<Account> FindOrAssume(absl::string_view account) const;

  // The hash of a user's password; nullopt if there is no such user.
  absl::StatusOr<std::optional<BcryptHash>> PasswordHashOf(absl::string_view user) const;
  // The highest cost of the hash of any user.
  int hash_cost_max() const;
  bool IsInFile(absl::string_view user) const;

  // kNotFound: there is no such user.
  absl::Status AddToGroup(absl::string_view group, absl::string_view user, absl::string_view added_by);

  StoredUsers& users() { return users_; }
  Robots& robots() { return robots_; }
  Memberships& memberships() { return memberships_; }
  const AccountsFile& file() const { return file_; }

  // The robot of an account "robot+NAME", expired or not. If there is none, a robot that no secret matches, so that the
  // time that verification takes does not reveal it.
  absl::StatusOr<Robots::Robot> FindRobot(absl::string_view account) const;
  bool IsExpired(const Robots::Robot& robot) const { return robot.IsExpired(clock_.Now()); }

  // The account that logs in with this password hash, or as this robot.
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
