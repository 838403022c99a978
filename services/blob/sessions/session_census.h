#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_CENSUS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_CENSUS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/sessions/session_info.h"
#include "services/core/open_uploads.h"
#include "services/core/time/clock.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// What this replica knows about the sessions of all replicas: those that the last scan of the records found, and its
// own changes since. It decides nothing alone, except that it refuses new sessions: before a session ends, its record
// is read again. Thread-safe.
//
// So the bounds on open sessions hold for each replica by itself at every moment, and for all replicas together as of
// the last scan: N replicas may open N times as many sessions between two scans.
class SessionCensus {
 public:
  struct Session {
    SessionInfo info;
    // A request has claimed it.
    bool in_use = false;
  };
  using Sessions = std::map<UploadId, Session>;

  // The arguments outlive the census.
  SessionCensus(const SessionLimits& limits, const Clock* clock, BlobMetrics* metrics)
      : limits_(limits), clock_(*clock), metrics_(*metrics) {}

  // A scan begins: what is set and removed from now on counts more than what the scan finds.
  void BeginScan();
  void EndScan(Sessions found);
  // When the last scan that ended had begun; the infinite past before the first.
  absl::Time scanned_at() const;

  void Set(const UploadId& id, Session session);
  void Remove(const UploadId& id);

  struct Room {
    // OK, or why there is none.
    absl::Status status;
    // The bound that is reached, if there is none.
    UploadLimit limit = UploadLimit::kSum;
    // If there is none: the session that has been idle and empty longest, if it may make room (session_table.h).
    std::optional<UploadId> evictable;
  };
  // Sets a new open session if its owner may start another one.
  Room Add(const UploadId& id, const SessionInfo& info);

  // The open sessions that match, in the order of their ids.
  std::vector<UploadId> Find(const UploadFilter& filter) const;
  // As SessionTable has them.
  OpenUploadPage List(const UploadFilter& filter, absl::string_view start_after, size_t limit) const;
  UploadTotals Totals() const;
  absl::Duration OldestAge() const;
  // Open sessions that have expired, and ending ones that ended before `ended_before`.
  std::vector<UploadId> Due(absl::Time ended_before) const;
  // Sealed sessions that have expired, at most `limit`.
  std::vector<UploadId> Abandoned(size_t limit) const;

 private:
  struct Counts {
    size_t open = 0;
    uint64_t bytes = 0;
  };

  Room FindRoom(const SessionOwner& owner) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Put(const UploadId& id, Session session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Insert(const UploadId& id, Session session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Erase(const UploadId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ShowCounts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { metrics_.SetOpenUploads(all_.open, all_.bytes); }
  bool IsExpired(const Session& session) const {
    return !session.in_use && limits_.ExpiryOf(session.info) <= clock_.Now();
  }
  // Fills in what a full group of sessions allows: those of `share`, or all if it is empty.
  std::optional<UploadId> Evictable(absl::string_view share, absl::Duration* wait) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SessionLimits limits_;
  const Clock& clock_;
  BlobMetrics& metrics_;
  mutable absl::Mutex mutex_;
  Sessions sessions_ ABSL_GUARDED_BY(mutex_);
  Counts all_ ABSL_GUARDED_BY(mutex_);
  // Without shares that have no open session.
  absl::flat_hash_map<std::string, size_t> shares_ ABSL_GUARDED_BY(mutex_);
  absl::Time scan_began_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time scanned_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  // During a scan: what was set, or removed, since it began.
  std::optional<std::map<UploadId, std::optional<Session>>> changes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_CENSUS_H_
