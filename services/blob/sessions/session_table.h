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

// An UploadOwner as a record has it.
struct SessionOwner {
  std::string repository;
  std::string account;

  bool Is(const UploadOwner& owner) const {
    return repository == owner.repository.ToString() && account == owner.account;
  }
};

// What is to be known of a session without asking the KV.
struct SessionInfo {
  SessionOwner owner;
  SessionState state = SessionState::kOpen;
  uint64_t offset_bytes = 0;
  // Whether this run of the service wrote the staged bytes, or has read them back and found them to be what the record
  // says.
  bool trusted = true;
  absl::Time touched_at;
};

// What a session is claimed for.
enum class SessionUse { kAppend, kSeal, kEnd, kVerify };

// The sessions of the KV, in memory: who is at work on which, how many there are, and which have expired. Thread-safe.
class SessionTable {
 public:
  // While it lives nobody else works on the session. Must not outlive the table.
  class Claim {
   public:
    Claim(Claim&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), id_(std::move(other.id_)), info_(std::move(other.info_)) {}
    Claim& operator=(Claim&&) = delete;
    // Writes `info` back, touched now.
    ~Claim();

    const UploadId& id() const { return id_; }
    const SessionInfo& info() const { return info_; }
    // Neither sealed nor removed.
    bool open() const { return table_ != nullptr && info_.state == SessionState::kOpen; }
    // Shows itself to others at once.
    void Update(SessionState state, uint64_t offset_bytes, bool trusted);
    // The session is no more.
    void Remove();

   private:
    friend class SessionTable;
    Claim(SessionTable* table, UploadId id, SessionInfo info)
        : table_(table), id_(std::move(id)), info_(std::move(info)) {}

    SessionTable* table_;
    UploadId id_;
    SessionInfo info_;
  };

  // `open_sessions` shows how many are open. All outlive the table.
  SessionTable(size_t open_max, absl::Duration lifetime, const Clock* clock, prometheus::Gauge* open_sessions)
      : open_max_(open_max), lifetime_(lifetime), clock_(*clock), gauge_(open_sessions) {}

  // kResourceExhausted (TOOMANYREQUESTS) where as many are open as may be.
  absl::StatusOr<Claim> Add(const UploadId& id, const UploadOwner& owner);
  // One that an earlier run left. Not bounded.
  void Restore(const UploadId& id, SessionInfo info);
  bool Contains(const UploadId& id) const;

  // kNotFound (BLOB_UPLOAD_UNKNOWN): not there, not the owner's, or expired.
  absl::StatusOr<SessionInfo> Find(const UploadId& id, const UploadOwner& owner) const;
  // Besides: kOutOfRange (RANGE_INVALID) where somebody else is at work on it; kUnavailable where that is for a seal or
  // for reading it back, and the call would have to be made again.
  absl::StatusOr<Claim> ClaimFor(SessionUse use, const UploadId& id, const UploadOwner& owner);
  // Whether it was there, sealed and unclaimed.
  bool RemoveSealed(const UploadId& id, const UploadOwner& owner);

  struct Expired {
    std::vector<Claim> open;
    // Dropped from the table.
    std::vector<UploadId> sealed;
  };
  // Those whose time is over, at most `limit` open ones.
  Expired ClaimExpired(size_t limit);
  // How long ago the open session was touched that waited longest; zero where none is open.
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

// kNotFound (BLOB_UPLOAD_UNKNOWN).
absl::Status UnknownSession();

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_TABLE_H_
