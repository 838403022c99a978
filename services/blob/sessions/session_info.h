#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_INFO_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_INFO_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/open_uploads.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

// What is known about a session without its bytes, and the rules that hold for every way of keeping sessions.
namespace entrepot::blob {

// kEnding: the session no longer exists for its owner. Its record or its bytes are still to be deleted.
enum class SessionState { kOpen, kSealed, kEnding };

// An UploadOwner in the form of a record.
struct SessionOwner {
  std::string repository;
  std::string account;
  // The network of a caller without an account (core/client_network.h), whose share the session counts against. It does
  // not identify the owner: a caller may change its address during an upload.
  std::string client = {};

  static SessionOwner Of(const UploadOwner& owner);
  bool Is(const UploadOwner& owner) const {
    return repository == owner.repository.ToString() && account == owner.account;
  }
  // Names the share that a session, and the memory of its bytes, counts against.
  std::string Share() const;
  // A fetch of the upstream service. No client waits for it: clients get the bytes before they are stored.
  bool is_fetch() const { return account == kUpstreamAccount; }
};

// The state of a session that must be known without reading the KV.
struct SessionInfo {
  SessionOwner owner;
  SessionState state = SessionState::kOpen;
  uint64_t offset_bytes = 0;
  // Whether this run of the service wrote the staged bytes, or has read them back and found that they match the record.
  bool trusted = true;
  // Upload::whole
  bool whole = false;
  absl::Time started_at = {};
  absl::Time touched_at = {};
};

struct SessionLimits {
  // An open session of the upstream service lives for this, if `lifetime` is not shorter. It appends at least every few
  // minutes while it fetches, and if it is killed, it never comes back to the session.
  static constexpr absl::Duration kUpstreamLifetime = absl::Minutes(30);
  // A client that starts an upload sends bytes at once, or as soon as it has compressed a layer. A session that is idle
  // and empty for this long makes room for a new one.
  static constexpr absl::Duration kEvictableAfter = absl::Minutes(10);

  // uploads.sessions_max
  size_t open_max = 10'000;
  // uploads.sessions_per_account_max
  size_t share_max = 1'000;
  absl::Duration lifetime = absl::Hours(24);

  absl::Duration EvictableAfter() const { return std::min(kEvictableAfter, lifetime); }
  // When the session expires if nothing uses it before.
  absl::Time ExpiryOf(const SessionInfo& info) const;
};

bool Matches(const UploadFilter& filter, const UploadId& id, const SessionOwner& owner);

// kNotFound (BLOB_UPLOAD_UNKNOWN): there is no such session for this owner.
absl::Status UnknownSession();
// kResourceExhausted (TOOMANYREQUESTS): the share of the owner has `open` sessions; one may be free after `wait`.
absl::Status ShareIsFull(const SessionOwner& owner, size_t open, absl::Duration wait);
// The same for all sessions together.
absl::Status TooManyOpen(size_t open, absl::Duration wait);
// kOutOfRange (RANGE_INVALID) if the append does not begin at the end of a session of `end_bytes`.
absl::Status CheckOffset(const AppendOptions& options, uint64_t end_bytes);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_INFO_H_
