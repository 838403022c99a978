#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_CLEANUP_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_CLEANUP_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// Deletes what other records contain about an account: memberships, its last use, refresh tokens. This happens in the
// transaction that deletes the account, and in the one that creates an account of that name. The transaction must hold
// the locks.
std::vector<kv::Lock> AccountCleanupLocks(absl::string_view account);
absl::Status CleanUpAccount(kv::KvTransaction& transaction, absl::string_view account);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_CLEANUP_H_
