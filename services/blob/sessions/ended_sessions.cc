#include "services/blob/sessions/ended_sessions.h"

#include <cstddef>
#include <utility>

#include "services/core/failpoint/failpoint.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kBatch = 64;

}  // namespace

absl::Status ForgottenSessions::Add(const UploadId& id) {
  {
    absl::MutexLock lock(&mutex_);
    ids_.push_back(id);
    if (ids_.size() < kBatch) return absl::OkStatus();
  }
  return Flush();
}

absl::Status ForgottenSessions::Flush() {
  std::vector<UploadId> ids;
  {
    absl::MutexLock lock(&mutex_);
    ids.swap(ids_);
  }
  if (ids.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(records_.Delete(ids));
  return Failpoint("blob.session.forgotten");
}

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
