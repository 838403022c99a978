#ifndef ENTREPOT_SERVICES_OUTBOUND_BREAKER_H_
#define ENTREPOT_SERVICES_OUTBOUND_BREAKER_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/time/backoff.h"
#include "services/core/time/clock.h"

namespace entrepot::outbound {

struct BreakerOptions {
  // So many failures in a row open the breaker, or one that took `slow_failure`.
  int failures_max = 3;
  absl::Duration slow_failure = absl::Seconds(2);
  // The pauses grow from the one to the other.
  absl::Duration pause_min = absl::Seconds(1);
  absl::Duration pause_max = absl::Seconds(30);
};

// Decides whether a server that fails is asked. Closed: it is. After failures (BreakerOptions), or one for which the
// server asked for a wait, the breaker opens: it is not asked during a pause, which is at least as long as it asked
// for. Then one request at a time may go out, as a probe: its success closes the breaker, its failure opens it again.
// Thread-safe.
class Breaker {
 public:
  // `clock` outlives the object.
  explicit Breaker(const Clock* clock, const BreakerOptions& options = {}) : options_(options), clock_(*clock) {}

  // Whether a request may go out. After true, one of Succeeded(), Failed() and Neither() must follow.
  bool Allow();
  // The request was answered. Returns whether that closed the breaker.
  bool Succeeded();
  // `retry_after`: the wait that the server asked for. Returns whether that opened the breaker which was closed.
  bool Failed(absl::Duration took, std::optional<absl::Duration> retry_after);
  // The request's end tells nothing about the server.
  void Neither();

  bool closed() const;
  // Whether Allow() would let a probe out, or a request if it is closed.
  bool due() const;
  // Until the next probe; zero if it is due.
  absl::Duration wait() const;

 private:
  absl::Duration WaitLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void OpenLocked(std::optional<absl::Duration> retry_after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const BreakerOptions options_;
  const Clock& clock_;
  mutable absl::Mutex mutex_;
  absl::BitGen random_ ABSL_GUARDED_BY(mutex_);
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool probing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time opened_at_ ABSL_GUARDED_BY(mutex_);
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);
  // While it is open.
  std::optional<Backoff> backoff_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_BREAKER_H_
