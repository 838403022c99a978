#include "services/auth/accounts/account_cleanup.h"

#include "services/auth/accounts/last_uses.h"
#include "services/auth/accounts/memberships.h"
#include "services/auth/tokens/refresh_tokens.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

std::vector<kv::Lock> AccountCleanupLocks(absl::string_view account) {
  return {Memberships::LockOf(account), RefreshTokens::LockOf(account)};
}

absl::Status CleanUpAccount(kv::KvTransaction& transaction, absl::string_view account) {
  LastUses::Forget(transaction, account);
  RETURN_IF_ERROR(Memberships::RemoveFromAll(transaction, account));
  return RefreshTokens::RevokeAll(transaction, account);
}

}  // namespace entrepot::auth
