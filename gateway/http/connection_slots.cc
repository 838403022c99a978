#include "gateway/http/connection_slots.h"

namespace entrepot::gateway::http {

bool ConnectionSlots::TryTake() {
  absl::MutexLock lock(&mutex_);
  if (open_ >= max_) {
    wanted_ = true;
    return false;
  }
  ++open_;
  open_gauge_->Set(static_cast<double>(open_));
  return true;
}

void ConnectionSlots::Release() {
  absl::MutexLock lock(&mutex_);
  --open_;
  open_gauge_->Set(static_cast<double>(open_));
  if (std::exchange(wanted_, false) && on_free_) on_free_();
}

bool ConnectionSlots::WaitUntilNone(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_ == 0; };
  return mutex_.AwaitWithDeadline(absl::Condition(&none), deadline);
}

}  // namespace entrepot::gateway::http
