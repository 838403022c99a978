#include "services/upstream/client/connection_budget.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/time/deadline.h"

namespace entrepot::upstream {

ConnectionBudget::ConnectionBudget(size_t connections_max, size_t waiting_max)
    : running_max_(connections_max),
      running_blobs_max_(connections_max - connections_max / 4),
      waiting_max_(waiting_max) {}

absl::StatusOr<ConnectionBudget::Turn> ConnectionBudget::Take(Use use, absl::Duration patience) {
  const Deadline deadline = Deadline::After(patience);
  std::unique_lock lock(mutex_);
  if (stopped_) return absl::CancelledError("stopped");
  if (waiters_.size() >= waiting_max_) {
    return absl::UnavailableError(absl::StrCat("as many requests wait for one of its connections as may (",
                                               waiting_max_, "; connections_max is ", running_max_, ")"));
  }
  Waiter waiter{.use = use, .admitted = false, .changed = {}};
  const auto place = waiters_.insert(waiters_.end(), &waiter);
  AdmitWaiters();
  while (!waiter.admitted && !stopped_ && !deadline.passed()) waiter.changed.wait_until(lock, deadline.time());
  if (waiter.admitted) return Turn(this, use);
  waiters_.erase(place);
  if (stopped_) return absl::CancelledError("stopped");
  return absl::UnavailableError(
      absl::StrCat("no connection has become free within ", absl::FormatDuration(patience), " (connections_max)"));
}

void ConnectionBudget::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (Waiter* waiter : waiters_) waiter->changed.notify_one();
}

size_t ConnectionBudget::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

void ConnectionBudget::End(Use use) {
  const std::lock_guard lock(mutex_);
  --running_;
  if (use == Use::kBlob) --running_blobs_;
  AdmitWaiters();
}

bool ConnectionBudget::HasRoom(Use use) const {
  return running_ < running_max_ && (use != Use::kBlob || running_blobs_ < running_blobs_max_);
}

void ConnectionBudget::AdmitWaiters() {
  for (auto place = waiters_.begin(); place != waiters_.end() && running_ < running_max_;) {
    Waiter* const waiter = *place;
    if (!HasRoom(waiter->use)) {
      ++place;
      continue;
    }
    place = waiters_.erase(place);
    ++running_;
    if (waiter->use == Use::kBlob) ++running_blobs_;
    waiter->admitted = true;
    waiter->changed.notify_one();
  }
}

}  // namespace entrepot::upstream
