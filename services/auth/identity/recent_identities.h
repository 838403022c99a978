#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_RECENT_IDENTITIES_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_RECENT_IDENTITIES_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/auth/records/access_grant.h"
#include "services/core/lru_map.h"

namespace entrepot::auth {

// The grants that the accounts of identity providers had at their last login, kept in memory only: the catalog shows
// the repositories that their tokens let them read. An account that has been dropped, or that another process has
// issued a token to, sees what the policy's rules let it read. Thread-safe.
class RecentIdentities {
 public:
  RecentIdentities() = default;
  RecentIdentities(const RecentIdentities&) = delete;
  RecentIdentities& operator=(const RecentIdentities&) = delete;

  void Remember(const std::string& account, std::vector<AccessGrant> grants);
  std::vector<AccessGrant> GrantsOf(absl::string_view account);

 private:
  static constexpr size_t kAccountsMax = 4096;

  absl::Mutex mutex_;
  LruMap<std::string, std::vector<AccessGrant>> grants_ ABSL_GUARDED_BY(mutex_){kAccountsMax};
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_RECENT_IDENTITIES_H_
