#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_REMAINS_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_REMAINS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// What an account leaves behind in other records: memberships, its last use, refresh tokens. It goes in the transaction
// in which the account is deleted, and in the one in which an account of that name is made.
std::vector<kv::Lock> LocksOfRemains(absl::string_view account);
absl::Status RemoveRemains(kv::KvTransaction& transaction, absl::string_view account);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_ACCOUNT_REMAINS_H_
