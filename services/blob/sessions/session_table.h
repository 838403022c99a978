#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_TABLE_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/sessions/session_info.h"
#include "services/core/open_uploads.h"
#include "services/core/time/clock.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// The purpose of a claim. kSeal: the upload is sealed, or its last bytes are appended.
enum class SessionUse { kAppend, kSeal, kEnd, kVerify };

// The sessions of the KV, in memory: which are in use, how many there are and whose, and which have expired.
// Thread-safe.
//
// Open sessions are bounded in sum, and each account has a share of them, so that no account can keep the others from
// pushing. Callers without an account have a share for each network, and the upstream service has none. If a bound is
// reached, the session that has been idle and empty longest makes room for a new one: in a full share one of the same
// share, otherwise one of any. Its client loses no bytes, and most of these sessions have no client any more, because
// it repeated a POST whose answer was lost, or asked for a mount and had no use for a session. A session with bytes, or
// one that was used in the last kEvictableAfter, never makes room: a client that repeats an upload of gigabytes costs
// more than one that waits.
class SessionTable {
 public:
  using Limits = SessionLimits;
  static constexpr absl::Duration kUpstreamLifetime = SessionLimits::kUpstreamLifetime;
  static constexpr absl::Duration kEvictableAfter = SessionLimits::kEvictableAfter;

  // The exclusive right to work on a session, for as long as this object exists. Must not outlive the table.
  class Claim {
   public:
    Claim(Claim&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), id_(std::move(other.id_)), info_(std::move(other.info_)) {}
    Claim& operator=(Claim&&) = delete;
    // Writes `info` back and sets the session's time to now. An ending session stays for ClaimDue().
    ~Claim();

    const UploadId& id() const { return id_; }
    const SessionInfo& info() const { return info_; }
    // Whether the session is neither sealed, nor ending, nor removed.
    bool open() const { return table_ != nullptr && info_.state == SessionState::kOpen; }
    // Visible to other calls at once.
    void Update(SessionState state, uint64_t offset_bytes, bool trusted);
    void SetWhole(bool whole) { info_.whole = whole; }
    // The session no longer exists for its owner. If this claim does not remove it, ClaimDue() returns it again.
    void End();
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

  // The arguments outlive the table.
  SessionTable(const Limits& limits, const Clock* clock, BlobMetrics* metrics)
      : limits_(limits), clock_(*clock), metrics_(*metrics) {}

  struct Added {
    Claim session;
    // Ending sessions that made room.
    std::vector<Claim> evicted;
  };
  // kResourceExhausted (TOOMANYREQUESTS), with the time after which a session may be free, if a bound is reached and no
  // session can make room.
  absl::StatusOr<Added> Add(const UploadId& id, const UploadOwner& owner);
  // Adds a session of an earlier run; in the order of their times. The bounds do not apply.
  void Restore(const UploadId& id, SessionInfo info);
  bool Contains(const UploadId& id) const;
  // SessionInfo::trusted; true for a session that does not exist.
  bool IsTrusted(const UploadId& id) const;

  // kNotFound (BLOB_UPLOAD_UNKNOWN) if the session does not exist, has another owner, is ending, or has expired.
  absl::StatusOr<SessionInfo> Find(const UploadId& id, const UploadOwner& owner) const;
  // Errors of Find(), but kEnd also claims an ending session. Two more errors if another request uses the session:
  // kOutOfRange (RANGE_INVALID) if it appends; kUnavailable if it seals, verifies or ends the session, or if this
  // request verifies it (the caller should retry).
  absl::StatusOr<Claim> ClaimFor(SessionUse use, const UploadId& id, const UploadOwner& owner);
  // Whether the session existed, sealed and unclaimed.
  bool RemoveSealed(const UploadId& id, const UploadOwner& owner);

  struct Due {
    // Expired, or ending because an earlier deletion failed or was requested while a call used the session.
    std::vector<Claim> deletable;
    // Removed from the table.
    std::vector<UploadId> sealed;
  };
  // All sessions that no longer belong to a client.
  Due ClaimDue();

  struct Selected {
    std::vector<Claim> idle;
    // Sessions that a call uses. They are ending as soon as the call is done, unless it seals them.
    size_t in_use = 0;
  };
  // Claims the open sessions that match, to delete them.
  Selected ClaimMatching(const UploadFilter& filter);
  // The open sessions that match and whose id is greater than `start_after`, in the order of their ids, at most
  // `limit`.
  OpenUploadPage List(const UploadFilter& filter, absl::string_view start_after, size_t limit) const;
  UploadTotals Totals() const;
  // How long the open session that has been idle longest has been idle; zero if none is.
  absl::Duration OldestAge() const;

 private:
  struct Entry;
  using Order = std::list<Entry*>;
  enum Place { kInUse, kIdleEmpty, kIdleFilled, kPlaces };
  // The open sessions of one account or network, or of all.
  struct Group {
    size_t open = 0;
    // Idle sessions are in the order of their last use.
    std::array<Order, kPlaces> places;
  };
  struct Entry {
    Entry(UploadId id, SessionInfo info) : id(std::move(id)), info(std::move(info)) {}

    const UploadId id;
    SessionInfo info;
    bool claimed = false;
    SessionUse use = SessionUse::kAppend;
    bool end_requested = false;
    // Set while the session is open.
    Group* share = nullptr;
    Place place = kInUse;
    Order::iterator in_share = {};
    Order::iterator in_all = {};
    // Set while the session is sealed.
    std::optional<Order::iterator> in_sealed = {};
    uint64_t counted_bytes = 0;
  };
  using Entries = absl::node_hash_map<std::string, Entry>;

  bool IsExpired(const Entry& entry) const { return !entry.claimed && limits_.ExpiryOf(entry.info) <= clock_.Now(); }
  const Entry* FindEntry(const UploadId& id, const UploadOwner& owner) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Claim TakeClaim(SessionUse use, Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Entry& Insert(const UploadId& id, SessionInfo&& info) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds the session to its groups, moves it within them, or takes it out of them, as its state and its use require.
  void Account(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same for the sealed sessions.
  void AccountSealed(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeaveSealed(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the longest idle empty session of the group could be ended; it is then claimed.
  bool Evict(const Group& group, std::vector<Claim>* evicted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // How long until a session of the full group expires or can be evicted, if no request uses it again.
  absl::Duration WaitFor(const Group& group) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(const Claim& claim, bool release);
  void Erase(const UploadId& id);
  void Forget(Entries::iterator session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  const Clock& clock_;
  BlobMetrics& metrics_;
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  Group all_ ABSL_GUARDED_BY(mutex_);
  // Without empty groups.
  absl::node_hash_map<std::string, Group> shares_ ABSL_GUARDED_BY(mutex_);
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // In the order of their last use.
  Order sealed_ ABSL_GUARDED_BY(mutex_);
  uint64_t sealed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_TABLE_H_
