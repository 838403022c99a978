#include "services/auth/identity/recent_identities.h"

#include <utility>

namespace entrepot::auth {

void RecentIdentities::Remember(const std::string& account, std::vector<AccessGrant> grants) {
  const absl::MutexLock lock(&mutex_);
  grants_[account] = std::move(grants);
}

std::vector<AccessGrant> RecentIdentities::GrantsOf(absl::string_view account) {
  const absl::MutexLock lock(&mutex_);
  const std::vector<AccessGrant>* const grants = grants_.Find(account);
  return grants == nullptr ? std::vector<AccessGrant>() : *grants;
}

}  // namespace entrepot::auth
