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

// Slows down who guesses. Every address and every account has a bucket of `failures_max` wrong credentials, into which
// one more falls every `interval`. From an address whose bucket is empty nothing is taken. For an account whose bucket
// is empty nothing is taken from addresses that have failed for it lately, while every other address still has a try:
// so nobody locks out an account's owner by guessing from elsewhere. Right credentials cost nothing.
//
// An IPv6 address counts as its /64. Of each kind the `entries_max` used last are known. Thread-safe.
class AttemptLimits {
 public:
  struct Options {
    int failures_max = 20;
    absl::Duration interval = absl::Seconds(3);
    size_t entries_max = 65536;
  };
  struct Refusal {
    absl::string_view by;  // "address" or "account": for a metric and the audit log, not for the one who is refused.
    absl::Duration retry_after;
  };

  AttemptLimits(const Clock* clock, const Options& options);

  AttemptLimits(const AttemptLimits&) = delete;
  AttemptLimits& operator=(const AttemptLimits&) = delete;

  // Whether another credential may be tried. An account need not exist.
  std::optional<Refusal> Check(absl::string_view address, absl::string_view account);
  void CountFailure(absl::string_view address, absl::string_view account);
  void CountSuccess(absl::string_view address, absl::string_view account);

 private:
  // When it is full again; in the past where it is full.
  using Bucket = absl::Time;

  // How long until one can be taken out; nullopt where one can.
  std::optional<absl::Duration> WaitFor(Bucket* bucket, absl::Time now) const;
  void TakeFrom(Bucket* bucket, absl::Time now) const;
  absl::Duration TimeToFill() const { return options_.failures_max * options_.interval; }

  const Clock& clock_;
  const Options options_;
  absl::Mutex mutex_;
  LruMap<std::string, Bucket> addresses_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, Bucket> accounts_ ABSL_GUARDED_BY(mutex_);
  // Address and account: when it last failed.
  LruMap<std::string, absl::Time> failed_pairs_ ABSL_GUARDED_BY(mutex_);
};

// "192.0.2.1", or the /64 of an IPv6 address; what is no address stays as it is.
std::string LimitedAddress(absl::string_view address);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_ATTEMPT_LIMITS_H_
