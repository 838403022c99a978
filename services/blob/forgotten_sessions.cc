#include "services/blob/forgotten_sessions.h"

#include <cstddef>
#include <utility>

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
  return ids.empty() ? absl::OkStatus() : records_.Delete(ids);
}

}  // namespace entrepot::blob
