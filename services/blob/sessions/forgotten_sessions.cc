#include "services/blob/sessions/forgotten_sessions.h"

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

}  // namespace entrepot::blob
