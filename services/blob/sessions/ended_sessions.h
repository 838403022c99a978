#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_ENDED_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_ENDED_SESSIONS_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/core/lru_map.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// Deletes the records of forgotten sessions in batches. No caller waits for them, and one write for each would be a
// quarter of the cost of a small push. A killed process leaves some records of sealed sessions, which expire.
// Thread-safe.
class ForgottenSessions {
 public:
  // `records` outlives this.
  explicit ForgottenSessions(SessionRecords* records) : records_(*records) {}
  ~ForgottenSessions() { Flush().IgnoreError(); }

  // Deletes the record, now or later.
  void Add(const UploadId& id);
  // Deletes the remaining records. After an error they remain.
  absl::Status Flush();

 private:
  SessionRecords& records_;
  absl::Mutex mutex_;
  std::vector<UploadId> ids_ ABSL_GUARDED_BY(mutex_);
};

// How sessions ended lately, for a client that did not get the answer and sends its request again. The last kMax are
// remembered until the process ends. Thread-safe.
class RecentEndings {
 public:
  enum class Kind { kCancelled, kSealed, kWrongDigest };
  static constexpr size_t kMax = 10'000;

  // `digest` is the one that the client sent, if it sent one.
  void Add(const UploadId& id, const SessionOwner& owner, Kind kind, const std::string& digest = "");
  // nullopt if no session of that owner ended so that a request with that digest would have ended it.
  std::optional<Kind> Find(const UploadId& id, const UploadOwner& owner, const std::string& digest = "");

 private:
  struct Ending {
    SessionOwner owner;
    Kind kind = Kind::kCancelled;
    std::string digest;
  };

  absl::Mutex mutex_;
  LruMap<std::string, Ending> endings_ ABSL_GUARDED_BY(mutex_){kMax};
};

// The ids of expired sealed sessions. Without them, each listing would read the records of all sessions, open ones too.
// Thread-safe.
class AbandonedSessions {
 public:
  static constexpr size_t kMax = 100'000;

  // If there is no room, the id is dropped until the next refill.
  void Add(const UploadId& id);
  void Remove(const UploadId& id);
  bool Contains(const UploadId& id) const;
  std::vector<UploadId> First(size_t limit) const;
  // Whether all ids are gone while others were dropped for lack of room. The caller then has to search the records and
  // add them again. Returns true once.
  bool TakeRefill();

 private:
  mutable absl::Mutex mutex_;
  std::set<UploadId> ids_ ABSL_GUARDED_BY(mutex_);
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_ENDED_SESSIONS_H_
