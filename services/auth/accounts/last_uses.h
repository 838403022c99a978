#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_LAST_USES_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_LAST_USES_H_

#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// When each account's credential was last used. Written at most once a minute, and not synced: it only serves to find
// unused accounts. Thread-safe.
class LastUses {
 public:
  LastUses(kv::KvEngine* kv, const Clock* clock);

  // If the use cannot be written, it is lost: the client is served nevertheless.
  void Record(absl::string_view account);
  absl::StatusOr<std::optional<absl::Time>> Find(absl::string_view account) const;

  // For a transaction that creates or deletes the account.
  static void Forget(kv::KvTransaction& transaction, absl::string_view account);

 private:
  bool IsDue(const std::string& account, absl::Time now);

  kv::KvEngine& kv_;
  const Clock& clock_;
  absl::Mutex mutex_;
  LruMap<std::string, absl::Time> written_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_LAST_USES_H_
