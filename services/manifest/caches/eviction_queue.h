#ifndef ENTREPOT_SERVICES_MANIFEST_CACHES_EVICTION_QUEUE_H_
#define ENTREPOT_SERVICES_MANIFEST_CACHES_EVICTION_QUEUE_H_

#include <cstddef>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/types/v1/cache_room.pb.h"
#include "services/core/room_request.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::manifest {

// Runs requests for room one after another in a thread of its own: each reads much, and may take minutes. Thread-safe.
class EvictionQueue {
 public:
  // The requests that run or wait. Two for each upstream of many upstream services; more are a mistake.
  static constexpr size_t kRequestsMax = 256;

  using Work = std::function<absl::StatusOr<types::v1::CacheEviction>(const RoomRequest&)>;
  using Done = absl::AnyInvocable<void(absl::StatusOr<types::v1::CacheEviction>)>;

  // `work` is called on the thread.
  explicit EvictionQueue(Work work) : work_(std::move(work)) {}
  // Calls Stop(), and waits for the request that runs.
  ~EvictionQueue() { Stop(); }

  // Calls `done` once, on any thread. kResourceExhausted: there are kRequestsMax already. kCancelled: Stop() was called
  // before the request began.
  void Add(RoomRequest request, Done done);
  // Requests that have not begun are cancelled. The work must end by itself the one that runs.
  void Stop();

 private:
  bool stopped() const;

  const Work work_;
  mutable absl::Mutex mutex_;
  size_t requests_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: its thread uses all of the above.
  runtime::Executor thread_{1};
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CACHES_EVICTION_QUEUE_H_
