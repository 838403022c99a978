#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_ABANDONED_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_ABANDONED_SESSIONS_H_

#include <cstddef>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// Which sealed sessions have expired: to ask their records each time would be to read those of all open ones too.
// Thread-safe.
class AbandonedSessions {
 public:
  static constexpr size_t kMax = 100'000;

  // One that finds no room is left for a later Refill.
  void Add(const UploadId& id);
  void Remove(const UploadId& id);
  bool Contains(const UploadId& id) const;
  std::vector<UploadId> First(size_t limit) const;
  // Whether all that had room are gone and others were left: they have to be looked for, and added anew. Told once.
  bool TakeRefill();

 private:
  mutable absl::Mutex mutex_;
  std::set<UploadId> ids_ ABSL_GUARDED_BY(mutex_);
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_ABANDONED_SESSIONS_H_
