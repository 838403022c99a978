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
// An account that has logged in from an address within `known_for` is known there. A refusal of a known account allows
// its caller to accept the credential that logged in, by comparison with the memory of it (VerifiedCredentials), so
// that others with wrong credentials behind the same address, such as a proxy, do not lock out those with right ones.
// The number of such comparisons is limited too: otherwise they would allow guessing.
//
// An IPv6 address counts as its /64 (core/client_network.h). The `entries_max` most recently used addresses and
// accounts are kept. Thread-safe.
class AttemptLimits {
 public:
  struct Options {
    int failures_max = 20;
    absl::Duration interval = absl::Seconds(3);
    size_t entries_max = 65536;
    absl::Duration known_for = absl::Hours(24);
  };
  struct Refusal {
    absl::string_view by;  // "address" or "account": for a metric and the audit log, not for the client.
    absl::Duration retry_after;
    // Whether the credential may be compared with those that logged in. If it is not one of them, call
    // CountComparison().
    bool known = false;
  };
  // A known account has this many times `failures_max` comparisons, and one more every `interval`.
  static constexpr int kComparisonsPerFailure = 10;

  AttemptLimits(const Clock* clock, const Options& options);

  AttemptLimits(const AttemptLimits&) = delete;
  AttemptLimits& operator=(const AttemptLimits&) = delete;

  // Whether another attempt is refused. The account need not exist.
  std::optional<Refusal> Check(absl::string_view address, absl::string_view account);
  void CountFailure(absl::string_view address, absl::string_view account);
  void CountSuccess(absl::string_view address, absl::string_view account);
  // A refused credential was compared with those that logged in, and is not one of them.
  void CountComparison(absl::string_view address, absl::string_view account);

 private:
  // The time at which the bucket is full again; in the past if it is full.
  using Bucket = absl::Time;

  struct Login {
    absl::Time at = absl::InfinitePast();
    Bucket comparisons = absl::InfinitePast();
  };

  // How long until an attempt can be taken from a bucket of `size`; nullopt if one can be taken now.
  std::optional<absl::Duration> WaitFor(Bucket* bucket, int size, absl::Time now) const;
  void TakeFrom(Bucket* bucket, int size, absl::Time now) const;
  absl::Duration TimeToFill(int size) const { return size * options_.interval; }
  int comparisons_max() const { return kComparisonsPerFailure * options_.failures_max; }
  bool IsKnown(const std::string& pair, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Refusal> FindRefusal(const std::string& from, absl::string_view account, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const Options options_;
  absl::Mutex mutex_;
  LruMap<std::string, Bucket> addresses_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, Bucket> accounts_ ABSL_GUARDED_BY(mutex_);
  // By address and account, when it last failed.
  LruMap<std::string, absl::Time> failed_pairs_ ABSL_GUARDED_BY(mutex_);
  // By address and account, the last login.
  LruMap<std::string, Login> logins_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_ATTEMPT_LIMITS_H_
