#include "services/kv/aborted_retry.h"

#include <algorithm>

#include "absl/random/random.h"

namespace entrepot::kv {
namespace {

absl::Duration Jittered(absl::Duration bound) {
  thread_local absl::InsecureBitGen random;
  return bound * absl::Uniform(absl::IntervalOpenClosed, random, 0.0, 1.0);
}

}  // namespace

absl::Status RetryWhileAborted(const RetryPolicy& policy, absl::FunctionRef<Attempt()> attempt) {
  absl::Duration bound = policy.delay_min;
  for (int attempts = 1;; ++attempts) {
    Attempt result = attempt();
    if (!absl::IsAborted(result.status) || attempts >= policy.attempts_max) return result.status;
    if (policy.on_retry) policy.on_retry(result.reason);
    policy.sleep(Jittered(bound));
    bound = std::min(bound * 2, policy.delay_max);
  }
}

}  // namespace entrepot::kv
