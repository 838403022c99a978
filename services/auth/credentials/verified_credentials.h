#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_VERIFIED_CREDENTIALS_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_VERIFIED_CREDENTIALS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"

namespace entrepot::auth {

// Remembers for a while which passwords were right, so that a fleet that logs in with one account does not hash it each
// time, and lets those who show the same credential at the same moment wait for one answer. What it keeps is an HMAC
// under a key that dies with the process, over the account, the password and the stored hash: no password can be read
// or guessed from it, and one that was changed is another credential. Wrong ones are not remembered. Thread-safe.
class VerifiedCredentials {
 public:
  // Whether the password is right, or why nobody can say now.
  using Verify = std::function<absl::StatusOr<bool>()>;

  VerifiedCredentials(const Clock* clock, absl::Duration lifetime, size_t entries_max);

  VerifiedCredentials(const VerifiedCredentials&) = delete;
  VerifiedCredentials& operator=(const VerifiedCredentials&) = delete;

  // True from memory, or what `verify`, or the same call under way on another thread, returns.
  absl::StatusOr<bool> Check(absl::string_view account, absl::string_view password, absl::string_view stored_hash,
                             const Verify& verify);

 private:
  struct Flight {
    bool landed = false;
    absl::StatusOr<bool> result = false;
  };

  std::string KeyOf(absl::string_view account, absl::string_view password, absl::string_view stored_hash) const;
  bool Remembers(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const absl::Duration lifetime_;
  const std::string secret_;
  absl::Mutex mutex_;
  LruMap<std::string, absl::Time> verified_ ABSL_GUARDED_BY(mutex_);  // Until when.
  absl::flat_hash_map<std::string, std::shared_ptr<Flight>> flights_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_VERIFIED_CREDENTIALS_H_
