#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_MEMBERSHIPS_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_MEMBERSHIPS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// The groups of users that administrators manage with entrepotctl, in addition to those of the policy file. A group
// exists as long as it has members. Thread-safe.
class Memberships {
 public:
  Memberships(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  // OK if the account is a member already. `check` runs in the transaction and returns an error if the account does not
  // exist.
  absl::Status Add(absl::string_view group, absl::string_view account, absl::string_view added_by,
                   const kv::Lock& account_lock, const kv::KvEngine::Function& check);
  // kNotFound: the account is not a member.
  absl::Status Remove(absl::string_view group, absl::string_view account);

  // In order.
  absl::StatusOr<std::vector<std::string>> GroupsOf(absl::string_view account) const;
  // The members of each group, in order.
  absl::StatusOr<std::map<std::string, std::vector<std::string>>> All() const;

  // For a transaction that creates or deletes the account, so that a new one inherits nothing. It must hold
  // LockOf(account).
  static kv::Lock LockOf(absl::string_view account);
  static absl::Status RemoveFromAll(kv::KvTransaction& transaction, absl::string_view account);

 private:
  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_MEMBERSHIPS_H_
