#ifndef ENTREPOT_SERVICES_KV_ABORTED_RETRY_H_
#define ENTREPOT_SERVICES_KV_ABORTED_RETRY_H_

#include <functional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace entrepot::kv {

// Why a transaction is retried.
enum class RetryReason {
  // A lock was not free in time.
  kLockTimeout,
  // The transaction's function returned kAborted.
  kFunction,
  // The connection to the database was lost before the commit.
  kConnectionLost,
};

// How Transact retries aborted attempts.
struct RetryPolicy {
  int attempts_max = 8;
  // The bounds of the waits between attempts (see Backoff).
  absl::Duration delay_min = absl::Milliseconds(1);
  absl::Duration delay_max = absl::Milliseconds(100);
  // Blocks for a duration; tests inject their own.
  std::function<void(absl::Duration)> sleep = absl::SleepFor;
  // Called before the wait of each retry, on the thread that retries. May be empty.
  std::function<void(RetryReason)> on_retry = {};
};

// The result of one attempt.
struct Attempt {
  absl::Status status = {};
  // Read only if the status is kAborted.
  RetryReason reason = RetryReason::kFunction;
};

// Runs `attempt` until its status is not kAborted, at most policy.attempts_max times.
absl::Status RetryWhileAborted(const RetryPolicy& policy, absl::FunctionRef<Attempt()> attempt);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ABORTED_RETRY_H_
