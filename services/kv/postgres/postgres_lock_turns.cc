#include "services/kv/postgres/postgres_lock_turns.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/core/time/deadline.h"
#include "services/kv/postgres/postgres_status.h"

namespace entrepot::kv {

PostgresLockTurns::PostgresLockTurns(int64_t locks_max, PostgresMetrics* metrics)
    : locks_max_(locks_max), metrics_(*metrics) {
  metrics_.locks_max = locks_max_;
}

absl::StatusOr<PostgresLockTurns::Turn> PostgresLockTurns::Acquire(int64_t locks, absl::Duration wait) {
  if (locks <= kSmallTransactionLocks) return Turn(nullptr, 0);
  const Deadline deadline = Deadline::After(wait);
  Waiter waiter{.locks = std::min(locks, locks_max_)};
  std::unique_lock lock(mutex_);
  const auto place = waiters_.insert(waiters_.end(), &waiter);
  Grant();
  ++metrics_.locks_waiting;
  const bool granted = waiter.wake.wait_until(lock, deadline.time(), [&] { return waiter.granted; });
  --metrics_.locks_waiting;
  if (granted) return Turn(this, waiter.locks);
  waiters_.erase(place);
  Grant();  // Those behind it may need less.
  ++metrics_.refused;
  return DatabaseBusy(
      absl::StrCat("a transaction with ", locks, " locks waited for ", absl::FormatDuration(wait),
                   " (connection_wait) for other large ones: those of a process hold ", locks_max_,
                   " locks in PostgreSQL at most, a share of its max_locks_per_transaction x max_connections"));
}

void PostgresLockTurns::Grant() {
  while (!waiters_.empty() && held_ + waiters_.front()->locks <= locks_max_) {
    Waiter& first = *waiters_.front();
    waiters_.pop_front();
    held_ += first.locks;
    first.granted = true;
    first.wake.notify_one();
  }
}

PostgresLockTurns::Turn::~Turn() {
  if (turns_ == nullptr) return;
  std::lock_guard lock(turns_->mutex_);
  turns_->held_ -= locks_;
  turns_->Grant();
}

}  // namespace entrepot::kv
