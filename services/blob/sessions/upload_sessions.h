#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_SESSIONS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::blob {

// Adds bytes to one session. While it lives no other one exists for that session. Not thread-safe: one thread at a
// time. Destroying it without Finish() saves what was written, as well as that goes.
class UploadAppender {
 public:
  virtual ~UploadAppender() = default;

  // Hashes and stages. An error is final for this appender: kUnavailable (disk full or broken). The session then goes
  // back to where the appender found it, so that what it took of a full disk is free again.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Saves offset and hash state with the session, so that any later process goes on from there.
  virtual absl::StatusOr<Upload> Finish() = 0;
  // Finish() and UploadSessions::Seal() in one, for a request that brings both the last bytes and the digest: of a
  // small upload it costs half as much. Nothing else may be called afterwards.
  virtual absl::StatusOr<SealedUpload> FinishAndSeal(const Digest& digest) = 0;
};

// The upload sessions of the OCI distribution specification ("Pushing blobs"). A session belongs to the repository it
// was started in and the account that started it: from another one it is not found. Thread-safe; calls block on the
// disk.
//
// Sessions outlive the process. What a session holds is durable only once it is sealed: a power cut before that may
// cost the right to go on with it (kNotFound), never bytes of a sealed one.
//
// Status codes (with their OCI codes): kNotFound (BLOB_UPLOAD_UNKNOWN): the owner has no such session, or it has
// expired; kOutOfRange (RANGE_INVALID): the offset is not where the session ends, or an append is under way;
// kResourceExhausted (TOOMANYREQUESTS): too many sessions are open; kUnavailable (UNAVAILABLE): the store is read-only
// after an I/O error or the disk is full.
class UploadSessions {
 public:
  virtual ~UploadSessions() = default;

  virtual absl::StatusOr<Upload> Start(const UploadOwner& owner, DigestAlgorithm algorithm) = 0;
  virtual absl::StatusOr<Upload> Get(const UploadOwner& owner, const UploadId& id) = 0;
  virtual absl::StatusOr<std::unique_ptr<UploadAppender>> Append(const UploadOwner& owner, const UploadId& id,
                                                                 const AppendOptions& options) = 0;
  // Verifies that what the session holds has this digest (kInvalidArgument, DIGEST_INVALID, where not: the session is
  // then deleted) and makes it durable as an object. Sealing a sealed session with the same digest again gives the same
  // answer, until Forget; with another digest it is kNotFound.
  virtual absl::StatusOr<SealedUpload> Seal(const UploadOwner& owner, const UploadId& id, const Digest& digest) = 0;
  // Ends an open session and deletes its bytes. A sealed one is kNotFound.
  virtual absl::Status Cancel(const UploadOwner& owner, const UploadId& id) = 0;
  // Ends a sealed session whose object the manifest service has committed; the object stays. No session is no error.
  virtual absl::Status Forget(const UploadOwner& owner, const UploadId& id) = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_UPLOAD_SESSIONS_H_
