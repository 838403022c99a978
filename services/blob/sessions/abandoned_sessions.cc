#include "services/blob/sessions/abandoned_sessions.h"

#include <utility>

namespace entrepot::blob {

void AbandonedSessions::Add(const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  if (ids_.size() < kMax) {
    ids_.insert(id);
  } else {
    overflowed_ = true;
  }
}

void AbandonedSessions::Remove(const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  ids_.erase(id);
}

bool AbandonedSessions::Contains(const UploadId& id) const {
  absl::MutexLock lock(&mutex_);
  return ids_.contains(id);
}

std::vector<UploadId> AbandonedSessions::First(size_t limit) const {
  std::vector<UploadId> first;
  absl::MutexLock lock(&mutex_);
  for (auto i = ids_.begin(); i != ids_.end() && first.size() < limit; ++i) first.push_back(*i);
  return first;
}

bool AbandonedSessions::TakeRefill() {
  absl::MutexLock lock(&mutex_);
  return ids_.empty() && std::exchange(overflowed_, false);
}

}  // namespace entrepot::blob
