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

// A cache of passwords that were right: many clients that log in with one account do not cause a hash each time.
// Concurrent calls with the same credential wait for one verification. The cache contains an HMAC of the account, the
// password and the stored hash, under a key that exists only in this process: no password can be read or guessed from
// it, and a changed password is another credential. Wrong passwords are not cached. Thread-safe.
//
// Right credentials are known for longer than they are accepted without verification: the limits on guesses do not
// apply to them (AttemptLimits).
class VerifiedCredentials {
 public:
  // Whether the password is right, or why it cannot be verified now.
  using Verify = std::function<absl::StatusOr<bool>()>;

  static constexpr absl::Duration kKnownFor = absl::Hours(24);

  // A credential is accepted without verification for `lifetime`, which is less than kKnownFor.
  VerifiedCredentials(const Clock* clock, absl::Duration lifetime, size_t entries_max);

  VerifiedCredentials(const VerifiedCredentials&) = delete;
  VerifiedCredentials& operator=(const VerifiedCredentials&) = delete;

  // True if the credential is in the cache. Otherwise the result of `verify`, or of the same call in progress on
  // another thread.
  absl::StatusOr<bool> Check(absl::string_view account, absl::string_view password, absl::string_view stored_hash,
                             const Verify& verify);
  // Whether the credential was verified within kKnownFor.
  bool Knows(absl::string_view account, absl::string_view password, absl::string_view stored_hash);

 private:
  struct PendingCheck {
    bool done = false;
    absl::StatusOr<bool> result = false;
  };

  std::string KeyOf(absl::string_view account, absl::string_view password, absl::string_view stored_hash) const;
  // Whether the credential was verified within the last `age_max`.
  bool VerifiedWithin(absl::Duration age_max, const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const absl::Duration lifetime_;
  const std::string secret_;
  absl::Mutex mutex_;
  LruMap<std::string, absl::Time> verified_ ABSL_GUARDED_BY(mutex_);  // When each was verified.
  absl::flat_hash_map<std::string, std::shared_ptr<PendingCheck>> pending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_VERIFIED_CREDENTIALS_H_
