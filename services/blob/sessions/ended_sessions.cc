#include "services/blob/sessions/ended_sessions.h"

#include <cstddef>
#include <utility>

#include "services/core/failpoint/failpoint.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::blob {
namespace {

constexpr size_t kBatch = 64;

}  // namespace

void ForgottenSessions::Add(const UploadId& id) {
  {
    absl::MutexLock lock(&mutex_);
    ids_.push_back(id);
    if (ids_.size() < kBatch) return;
  }
  if (absl::Status status = Flush(); !status.ok()) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "the records of committed uploads could not be deleted yet", "",
                        {{"error", status.message()}});
  }
}

absl::Status ForgottenSessions::Flush() {
  std::vector<UploadId> ids;
  {
    absl::MutexLock lock(&mutex_);
    ids.swap(ids_);
  }
  if (ids.empty()) return absl::OkStatus();
  if (absl::Status status = records_.Delete(ids); !status.ok()) {
    absl::MutexLock lock(&mutex_);
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    return status;
  }
  return Failpoint("blob.session.forgotten");
}

void RecentEndings::Add(const UploadId& id, const SessionOwner& owner, Kind kind, const std::string& digest) {
  absl::MutexLock lock(&mutex_);
  endings_[id.ToString()] = {.owner = owner, .kind = kind, .digest = digest};
}

std::optional<RecentEndings::Kind> RecentEndings::Find(const UploadId& id, const UploadOwner& owner,
                                                       const std::string& digest) {
  absl::MutexLock lock(&mutex_);
  const Ending* const found = endings_.Find(id.ToString());
  if (found == nullptr || !found->owner.Is(owner) || found->digest != digest) return std::nullopt;
  return found->kind;
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
