#include "services/auth/credentials/hash_gate.h"

#include "services/status/oci_error.h"

namespace entrepot::auth {

absl::StatusOr<HashGate::Slot> HashGate::Enter() {
  const absl::MutexLock lock(&mutex_);
  if (inside_ == inside_max_) {
    if (waiting_ == waiting_max_) {
      return OciError(OciErrorCode::kTooManyRequests,
                      "too many passwords are being checked (authentication.password_hashes_max): try again later");
    }
    ++waiting_;
    const auto has_room = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return inside_ < inside_max_; };
    mutex_.Await(absl::Condition(&has_room));
    --waiting_;
  }
  ++inside_;
  return Slot(this);
}

void HashGate::Leave() {
  const absl::MutexLock lock(&mutex_);
  --inside_;
}

size_t HashGate::inside() const {
  const absl::MutexLock lock(&mutex_);
  return inside_;
}

size_t HashGate::waiting() const {
  const absl::MutexLock lock(&mutex_);
  return waiting_;
}

}  // namespace entrepot::auth
