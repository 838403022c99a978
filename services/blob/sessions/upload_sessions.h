#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_SESSIONS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// Adds bytes to one session, as the only appender of that session. Not thread-safe. If it is destroyed without
// Finish(), it tries to save the bytes that were written.
class UploadAppender {
 public:
  virtual ~UploadAppender() = default;

  // Hashes and stages bytes. An error is final for this appender: kUnavailable if the disk is full or broken. The
  // session then returns to the state in which the appender found it, which frees the disk space that it used since.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Saves the offset and the hash state with the session, so that any later process can continue from there.
  virtual absl::StatusOr<Upload> Finish() = 0;
  // Finish() and UploadSessions::Seal() in one call, for a request that brings both the last bytes and the digest; for
  // a small upload it costs half as much. No other method may be called afterwards.
  virtual absl::StatusOr<Blob> FinishAndSeal(const Digest& digest) = 0;
};

// The upload sessions of the OCI distribution specification ("Pushing blobs"). A session belongs to the repository and
// the account that it was started with, and other owners do not find it. Thread-safe; calls block on the disk.
//
// Sessions survive the process. The bytes of a session are durable only once it is sealed. A power cut before that may
// end the session (kNotFound); it never changes a sealed one.
//
// Status codes (with their OCI codes): kNotFound (BLOB_UPLOAD_UNKNOWN) if the owner has no such session or it has
// expired; kOutOfRange (RANGE_INVALID) if the offset is not the end of the session or an append is running;
// kResourceExhausted (TOOMANYREQUESTS) if too many sessions are open; kUnavailable (UNAVAILABLE) if the store is
// read-only after an I/O error or the disk is full.
class UploadSessions {
 public:
  virtual ~UploadSessions() = default;

  virtual absl::StatusOr<Upload> Start(const UploadOwner& owner, DigestAlgorithm algorithm) = 0;
  virtual absl::StatusOr<Upload> Get(const UploadOwner& owner, const UploadId& id) = 0;
  virtual absl::StatusOr<std::unique_ptr<UploadAppender>> Append(const UploadOwner& owner, const UploadId& id,
                                                                 const AppendOptions& options) = 0;
  // Verifies that the session's bytes have this digest, and makes them durable as an object. If they do not, the
  // session is deleted (kInvalidArgument, DIGEST_INVALID). Sealing a sealed session again with the same digest gives
  // the same result until Forget; with another digest it gives kNotFound.
  virtual absl::StatusOr<Blob> Seal(const UploadOwner& owner, const UploadId& id, const Digest& digest) = 0;
  // Deletes an open session and its bytes. kNotFound for a sealed session.
  virtual absl::Status Cancel(const UploadOwner& owner, const UploadId& id) = 0;
  // Ends a sealed session after the manifest service has committed its object, which stays. OK if there is no such
  // session.
  virtual absl::Status Forget(const UploadOwner& owner, const UploadId& id) = 0;

  // Whether the next Get(), Append() or Seal() first reads back all bytes of the session, because an earlier run of the
  // service staged them. That takes as long as reading them, so it must not run on a thread for ordinary calls. Does not
  // block.
  virtual bool MustReadBack(const UploadId& id) const = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_SESSIONS_H_
