#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_STAGED_OBJECT_POOL_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_STAGED_OBJECT_POOL_H_

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/objects/object_store.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// Keeps staged objects open between the requests of an upload. The kernel reports a failed write-back only to those who
// had the file open, so one that was closed with bytes not yet on the disk could be sealed with some of them lost:
// whatever leaves the pool for lack of room is synced first. Thread-safe.
class StagedObjectPool {
 public:
  // `store` outlives the pool.
  StagedObjectPool(size_t capacity, ObjectStore* store) : capacity_(capacity), store_(*store) {}

  // May sync another one.
  void Park(const UploadId& id, std::unique_ptr<StagedObject> staged);
  // nullptr where it is not there.
  std::unique_ptr<StagedObject> Take(const UploadId& id);

 private:
  using Parked = std::pair<UploadId, std::unique_ptr<StagedObject>>;

  const size_t capacity_;
  ObjectStore& store_;
  absl::Mutex mutex_;
  // Latest last. Short enough to be walked.
  std::list<Parked> parked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_STAGED_OBJECT_POOL_H_
