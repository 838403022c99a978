#include "services/kv/aborted_retry.h"

#include "absl/random/random.h"
#include "services/core/time/backoff.h"

namespace entrepot::kv {

absl::Status RetryWhileAborted(const RetryPolicy& policy, absl::FunctionRef<Attempt()> attempt) {
  static thread_local absl::InsecureBitGen random;
  Backoff backoff(policy.delay_min, policy.delay_max, random);
  for (int attempts = 1;; ++attempts) {
    Attempt result = attempt();
    if (!absl::IsAborted(result.status) || attempts >= policy.attempts_max) return result.status;
    if (policy.on_retry) policy.on_retry(result.reason);
    policy.sleep(backoff.Next());
  }
}

}  // namespace entrepot::kv
