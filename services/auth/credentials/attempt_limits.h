#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_ATTEMPT_LIMITS_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_ATTEMPT_LIMITS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"

namespace entrepot::auth {

// Limits the guessing of credentials. Every address and every account has a bucket of `failures_max` attempts; each
// wrong credential takes one, and one is added every `interval`. If the bucket of an address is empty, all attempts
// from it are refused. If the bucket of an account is empty, attempts for it are refused only from addresses that have
// recently failed for it. So guesses from elsewhere do not lock out the account's owner. Right credentials take
// nothing.
//
// An IPv6 address counts as its /64. The `entries_max` most recently used addresses and accounts are kept. Thread-safe.
class AttemptLimits {
 public:
  struct Options {
    int failures_max = 20;
    absl::Duration interval = absl::Seconds(3);
    size_t entries_max = 65536;
  };
  struct Refusal {
    absl::string_view by;  // "address" or "account": for a metric and the audit log, not for the client.
    absl::Duration retry_after;
  };

  AttemptLimits(const Clock* clock, const Options& options);

  AttemptLimits(const AttemptLimits&) = delete;
  AttemptLimits& operator=(const AttemptLimits&) = delete;

  // Whether another attempt is refused. The account need not exist.
  std::optional<Refusal> Check(absl::string_view address, absl::string_view account);
  void CountFailure(absl::string_view address, absl::string_view account);
  void CountSuccess(absl::string_view address, absl::string_view account);

 private:
  // The time at which the bucket is full again; in the past if it is full.
  using Bucket = absl::Time;

  // How long until an attempt can be taken; nullopt if one can be taken now.
  std::optional<absl::Duration> WaitFor(Bucket* bucket, absl::Time now) const;
  void TakeFrom(Bucket* bucket, absl::Time now) const;
  absl::Duration TimeToFill() const { return options_.failures_max * options_.interval; }

  const Clock& clock_;
  const Options options_;
  absl::Mutex mutex_;
  LruMap<std::string, Bucket> addresses_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, Bucket> accounts_ ABSL_GUARDED_BY(mutex_);
  // By address and account, when it last failed.
  LruMap<std::string, absl::Time> failed_pairs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_ATTEMPT_LIMITS_H_
