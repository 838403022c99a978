#ifndef ENTREPOT_SERVICES_UPSTREAM_LOGIN_REFUSED_LOGINS_H_
#define ENTREPOT_SERVICES_UPSTREAM_LOGIN_REFUSED_LOGINS_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"
#include "services/upstream/login/credential_helper.h"

namespace entrepot::upstream {

// The logins that an upstream has refused within the last minute. They are not repeated: registries lock an account
// after some logins with a wrong password. Thread-safe. Keeps digests of passwords, no passwords.
class RefusedLogins {
 public:
  static constexpr absl::Duration kPause = absl::Minutes(1);

  explicit RefusedLogins(const Clock* clock) : clock_(clock), refused_at_(1024) {}

  // `scope` is empty if the login as such is refused, whatever it asks for.
  void Add(const Credentials& credentials, absl::string_view scope);
  // Whether the login as such, or the login for that scope, has been refused.
  bool Contains(const Credentials& credentials, absl::string_view scope);

 private:
  bool IsRefused(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock* const clock_;
  absl::Mutex mutex_;
  LruMap<std::string, absl::Time> refused_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_LOGIN_REFUSED_LOGINS_H_
