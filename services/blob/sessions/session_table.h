#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_TABLE_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/gauge.h"
#include "services/core/time/clock.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

enum class SessionState { kOpen, kSealed };

// An UploadOwner in the form of a record.
struct SessionOwner {
  std::string repository;
  std::string account;

  bool Is(const UploadOwner& owner) const {
    return repository == owner.repository.ToString() && account == owner.account;
  }
};

// The state of a session that must be known without reading the KV.
struct SessionInfo {
  SessionOwner owner;
  SessionState state = SessionState::kOpen;
  uint64_t offset_bytes = 0;
  // Whether this run of the service wrote the staged bytes, or has read them back and found that they match the record.
  bool trusted = true;
  absl::Time touched_at;
};

// The purpose of a claim.
enum class SessionUse { kAppend, kSeal, kEnd, kVerify };

// The sessions of the KV, in memory: which are in use, how many there are, and which have expired. Thread-safe.
class SessionTable {
 public:
  // The exclusive right to work on a session, for as long as this object exists. Must not outlive the table.
  class Claim {
   public:
    Claim(Claim&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), id_(std::move(other.id_)), info_(std::move(other.info_)) {}
    Claim& operator=(Claim&&) = delete;
    // Writes `info` back and sets the session's time to now.
    ~Claim();

    const UploadId& id() const { return id_; }
    const SessionInfo& info() const { return info_; }
    // Whether the session is neither sealed nor removed.
    bool open() const { return table_ != nullptr && info_.state == SessionState::kOpen; }
    // Visible to other calls at once.
    void Update(SessionState state, uint64_t offset_bytes, bool trusted);
    // Removes the session from the table.
    void Remove();

   private:
    friend class SessionTable;
    Claim(SessionTable* table, UploadId id, SessionInfo info)
        : table_(table), id_(std::move(id)), info_(std::move(info)) {}

    SessionTable* table_;
    UploadId id_;
    SessionInfo info_;
  };

  // `open_sessions` is set to the number of open sessions. All arguments outlive the table.
  SessionTable(size_t open_max, absl::Duration lifetime, const Clock* clock, prometheus::Gauge* open_sessions)
      : open_max_(open_max), lifetime_(lifetime), clock_(*clock), gauge_(open_sessions) {}

  // kResourceExhausted (TOOMANYREQUESTS) if the maximum number of sessions is open.
  absl::StatusOr<Claim> Add(const UploadId& id, const UploadOwner& owner);
  // Adds a session of an earlier run. The maximum does not apply.
  void Restore(const UploadId& id, SessionInfo info);
  bool Contains(const UploadId& id) const;
  // SessionInfo::trusted; true for a session that does not exist.
  bool IsTrusted(const UploadId& id) const;

  // kNotFound (BLOB_UPLOAD_UNKNOWN) if the session does not exist, has another owner, or has expired.
  absl::StatusOr<SessionInfo> Find(const UploadId& id, const UploadOwner& owner) const;
  // Errors of Find(); and kOutOfRange (RANGE_INVALID) if another request uses the session, or kUnavailable if that
  // request seals or verifies it and the call should be retried.
  absl::StatusOr<Claim> ClaimFor(SessionUse use, const UploadId& id, const UploadOwner& owner);
  // Whether the session existed, sealed and unclaimed.
  bool RemoveSealed(const UploadId& id, const UploadOwner& owner);

  struct Expired {
    std::vector<Claim> open;
    // Removed from the table.
    std::vector<UploadId> sealed;
  };
  // The expired sessions, at most `limit` open ones.
  Expired ClaimExpired(size_t limit);
  // The age of the open session that has been idle longest; zero if none is open.
  absl::Duration OldestAge() const;

 private:
  struct Entry {
    SessionInfo info;
    bool claimed = false;
    SessionUse use = SessionUse::kAppend;
  };

  bool IsExpired(const Entry& entry) const {
    return !entry.claimed && entry.info.touched_at + lifetime_ <= clock_.Now();
  }
  const Entry* FindEntry(const UploadId& id, const UploadOwner& owner) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountOpen(int change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(const Claim& claim, bool release);
  void Erase(const UploadId& id);

  const size_t open_max_;
  const absl::Duration lifetime_;
  const Clock& clock_;
  prometheus::Gauge* const gauge_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  size_t open_ ABSL_GUARDED_BY(mutex_) = 0;
};

// kNotFound (BLOB_UPLOAD_UNKNOWN): there is no such session for this owner.
absl::Status UnknownSession();

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_TABLE_H_
