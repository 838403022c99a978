#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_FORGOTTEN_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_FORGOTTEN_SESSIONS_H_

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

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_FORGOTTEN_SESSIONS_H_
