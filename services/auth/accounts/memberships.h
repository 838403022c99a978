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

// Which users are in which group, as administrators have put them there; the policy file has groups besides. A group is
// there as long as it has members. Thread-safe.
class Memberships {
 public:
  Memberships(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  // Being in it already is no error. `check`, run in the transaction, says whether the account is there.
  absl::Status Add(absl::string_view group, absl::string_view account, absl::string_view added_by,
                   const kv::Lock& account_lock, const kv::KvEngine::Function& check);
  // kNotFound: the account is not in it.
  absl::Status Remove(absl::string_view group, absl::string_view account);

  // In order.
  absl::StatusOr<std::vector<std::string>> GroupsOf(absl::string_view account) const;
  // The members of each group, in order.
  absl::StatusOr<std::map<std::string, std::vector<std::string>>> All() const;

  // For the transaction in which an account goes or comes, so that a new one inherits nothing. It holds
  // LockOf(account).
  static kv::Lock LockOf(absl::string_view account);
  static absl::Status RemoveFromAll(kv::KvTransaction& transaction, absl::string_view account);

 private:
  kv::KvEngine& kv_;
  const Clock& clock_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_MEMBERSHIPS_H_
