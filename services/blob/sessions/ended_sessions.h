#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_ENDED_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_ENDED_SESSIONS_H_

#include <cstddef>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/sessions/session_records.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// Deletes the records of forgotten sessions many at a time: nobody waits for it, and a write of its own for each would
// be a quarter of what a small push costs. A killed process leaves some records of sealed sessions behind, which
// expire. Thread-safe.
class ForgottenSessions {
 public:
  // `records` outlives this.
  explicit ForgottenSessions(SessionRecords* records) : records_(*records) {}
  ~ForgottenSessions() { Flush().IgnoreError(); }

  // Deletes the record, now or later.
  absl::Status Add(const UploadId& id);
  // Deletes those that are left.
  absl::Status Flush();

 private:
  SessionRecords& records_;
  absl::Mutex mutex_;
  std::vector<UploadId> ids_ ABSL_GUARDED_BY(mutex_);
};

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

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_ENDED_SESSIONS_H_
