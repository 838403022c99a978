#include "services/blob/sessions/staged_object_pool.h"

#include <algorithm>

#include "services/runtime/log/json_log.h"

namespace entrepot::blob {

void StagedObjectPool::Park(const UploadId& id, std::unique_ptr<StagedObject> staged) {
  std::list<Parked> evicted;
  {
    absl::MutexLock lock(&mutex_);
    parked_.emplace_back(id, std::move(staged));
    if (parked_.size() > capacity_) evicted.splice(evicted.begin(), parked_, parked_.begin());
  }
  for (auto& [evicted_id, object] : evicted) {
    if (absl::Status status = object->Sync(); !status.ok()) {
      // Its bytes may be lost: the upload must not find them again.
      runtime::Log(runtime::LogLevel::kError, "an upload's bytes were lost", {{"error", status.message()}});
      store_.DiscardStaged(evicted_id).IgnoreError();
    }
  }
}

std::unique_ptr<StagedObject> StagedObjectPool::Take(const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  const auto found =
      std::find_if(parked_.begin(), parked_.end(), [&](const Parked& parked) { return parked.first == id; });
  if (found == parked_.end()) return nullptr;
  std::unique_ptr<StagedObject> staged = std::move(found->second);
  parked_.erase(found);
  return staged;
}

}  // namespace entrepot::blob
