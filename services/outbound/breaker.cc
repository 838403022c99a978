#include "services/outbound/breaker.h"

#include <algorithm>

namespace entrepot::outbound {

bool Breaker::Allow() {
  const absl::MutexLock lock(&mutex_);
  if (!open_) return true;
  if (probing_ || WaitLocked() > absl::ZeroDuration()) return false;
  probing_ = true;
  return true;
}

bool Breaker::Succeeded() {
  const absl::MutexLock lock(&mutex_);
  const bool closes = open_;
  failures_ = 0;
  open_ = false;
  probing_ = false;
  backoff_.reset();
  return closes;
}

bool Breaker::Failed(absl::Duration took, std::optional<absl::Duration> retry_after) {
  const absl::MutexLock lock(&mutex_);
  if (open_) {
    // A request that began before the breaker opened says nothing new, unless it brings a wait.
    if (probing_ || retry_after.has_value()) OpenLocked(retry_after);
    probing_ = false;
    return false;
  }
  ++failures_;
  if (failures_ < options_.failures_max && took < options_.slow_failure && !retry_after.has_value()) return false;
  open_ = true;
  backoff_.emplace(options_.pause_min, options_.pause_max, random_);
  OpenLocked(retry_after);
  return true;
}

void Breaker::Neither() {
  const absl::MutexLock lock(&mutex_);
  probing_ = false;
}

bool Breaker::closed() const {
  const absl::MutexLock lock(&mutex_);
  return !open_;
}

bool Breaker::due() const {
  const absl::MutexLock lock(&mutex_);
  return !open_ || (!probing_ && WaitLocked() <= absl::ZeroDuration());
}

absl::Duration Breaker::wait() const {
  const absl::MutexLock lock(&mutex_);
  return open_ ? WaitLocked() : absl::ZeroDuration();
}

absl::Duration Breaker::WaitLocked() const {
  const absl::Duration since = clock_.Now() - opened_at_;
  // The clock was set back.
  if (since < absl::ZeroDuration()) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), pause_ - since);
}

void Breaker::OpenLocked(std::optional<absl::Duration> retry_after) {
  opened_at_ = clock_.Now();
  pause_ = std::max(backoff_->Next(), retry_after.value_or(absl::ZeroDuration()));
}

}  // namespace entrepot::outbound
