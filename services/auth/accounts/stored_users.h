#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_STORED_USERS_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_STORED_USERS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/auth/credentials/bcrypt_hash.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// The users that administrators have made, in the KV; those of the accounts file are not among them. A user who is
// deleted takes memberships and refresh tokens along, so that a new one of that name inherits nothing. Thread-safe;
// what changes is durable once a call returns.
class StoredUsers {
 public:
  struct User {
    std::string name;
    BcryptHash password_hash;
    absl::Time created_at;
  };

  StoredUsers(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  absl::StatusOr<std::optional<User>> Find(absl::string_view name) const;
  // In the order of their names.
  absl::StatusOr<std::vector<User>> List() const;
  // kAlreadyExists
  absl::Status Create(absl::string_view name, const BcryptHash& password_hash, absl::string_view created_by);
  // kNotFound
  absl::Status SetPassword(absl::string_view name, const BcryptHash& password_hash);
  // kNotFound
  absl::Status Delete(absl::string_view name);

  // For a transaction that needs a user to be there until it is over.
  static kv::Lock LockOf(absl::string_view name);
  static absl::StatusOr<bool> Exists(kv::KvReader& kv, absl::string_view name);

 private:
  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_STORED_USERS_H_
