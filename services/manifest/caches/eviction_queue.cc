#include "services/manifest/caches/eviction_queue.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace entrepot::manifest {
namespace {

absl::Status Stopping() { return absl::CancelledError("the manifest service is stopping"); }

}  // namespace

void EvictionQueue::Add(RoomRequest request, Done done) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) {
      refusal = Stopping();
    } else if (requests_ == kRequestsMax) {
      refusal = absl::ResourceExhaustedError(
          absl::StrCat("the manifest service has ", kRequestsMax,
                       " requests for room in caches, which is the most; try again later"));
    } else {
      ++requests_;
    }
  }
  if (!refusal.ok()) {
    done(refusal);
    return;
  }
  thread_.Post([this, request = std::move(request), done = std::move(done)]() mutable {
    absl::StatusOr<types::v1::CacheEviction> result = stopped() ? Stopping() : work_(request);
    {
      absl::MutexLock lock(&mutex_);
      --requests_;
    }
    done(std::move(result));
  });
}

void EvictionQueue::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

bool EvictionQueue::stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

}  // namespace entrepot::manifest
