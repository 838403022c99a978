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

// The users that administrators create with entrepotctl, in the KV; those of the accounts file are not among them.
// Deleting a user deletes its memberships and refresh tokens too, so that a new user of that name inherits nothing.
// Thread-safe. Changes are durable when a call returns.
class StoredUsers {
 public:
  struct User {
    std::string name;
    BcryptHash password_hash;
    absl::Time created_at;
  };

  StoredUsers(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  absl::StatusOr<std::optional<User>> Find(absl::string_view name) const;
  // Sorted by name.
  absl::StatusOr<std::vector<User>> List() const;
  // kAlreadyExists: there is a user of this name.
  absl::Status Create(absl::string_view name, const BcryptHash& password_hash, absl::string_view created_by);
  // kNotFound: there is no such user.
  absl::Status SetPassword(absl::string_view name, const BcryptHash& password_hash);
  // kNotFound: there is no such user.
  absl::Status Delete(absl::string_view name);

  // For a transaction during which the user must exist.
  static kv::Lock LockOf(absl::string_view name);
  static absl::StatusOr<bool> Exists(kv::KvReader& kv, absl::string_view name);

 private:
  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_STORED_USERS_H_
