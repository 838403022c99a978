#ifndef ENTREPOT_SERVICES_RUNTIME_RETRY_LOOP_H_
#define ENTREPOT_SERVICES_RUNTIME_RETRY_LOOP_H_

#include <functional>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/runtime/backoff.h"

namespace entrepot::runtime {

// Whether a call whose outcome is unknown may be made again.
enum class Idempotency { kIdempotent, kNotIdempotent };

struct RetryPolicy {
  int attempts_max = 5;
  absl::Duration backoff_min = absl::Milliseconds(10);
  absl::Duration backoff_max = absl::Seconds(1);
};

// Whether a call that failed so is worth another attempt. kAborted says that nothing happened: always. kUnavailable
// leaves the outcome open: only where the call is idempotent. Nothing else.
bool IsRetryable(const absl::Status& status, Idempotency idempotency);

namespace internal {
inline absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}
}  // namespace internal

// Calls `call` (returning absl::Status or absl::StatusOr) until it succeeds, fails beyond hope, or policy.attempts_max
// attempts are made; returns the last result. `sleep` blocks for a duration (absl::SleepFor); tests inject their own.
template <typename Call>
auto RetryLoop(const RetryPolicy& policy, Idempotency idempotency, const std::function<void(absl::Duration)>& sleep,
               absl::BitGenRef random, Call call) -> decltype(call()) {
  Backoff backoff(policy.backoff_min, policy.backoff_max, random);
  for (int attempt = 1;; ++attempt) {
    auto result = call();
    if (attempt >= policy.attempts_max || !IsRetryable(internal::StatusOf(result), idempotency)) return result;
    sleep(backoff.Next());
  }
}

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_RETRY_LOOP_H_
