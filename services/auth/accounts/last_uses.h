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

// When each account's credential was last used: written at most once a minute, and not synced, since nothing depends on
// it but an administrator's eye for accounts that nobody uses. Thread-safe.
class LastUses {
 public:
  LastUses(kv::KvEngine* kv, const Clock* clock);

  // What cannot be written is lost: it is no reason to turn a client away.
  void Record(absl::string_view account);
  absl::StatusOr<std::optional<absl::Time>> Find(absl::string_view account) const;

  // For the transaction in which an account goes or comes.
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
