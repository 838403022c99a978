#ifndef ENTREPOT_GATEWAY_BACKENDS_BLOB_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_BLOB_BACKEND_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/backends/call_context.h"
#include "services/core/byte_range.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/files/owned_fd.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway {

// Adds bytes to one upload session. Used by one coroutine at a time. Destroying it without Finish() keeps what was
// written, as well as that goes.
class UploadStream {
 public:
  virtual ~UploadStream() = default;
  // `bytes` must stay as they are until the call is done. An error is final.
  virtual boost::asio::awaitable<absl::Status> Append(absl::string_view bytes) = 0;
  // The offset of the answer is saved with the session. Nothing else may be called afterwards.
  virtual boost::asio::awaitable<absl::StatusOr<Upload>> Finish() = 0;
  // Finish() and SealUpload() in one, which costs less. Nothing else may be called afterwards.
  virtual boost::asio::awaitable<absl::StatusOr<SealedUpload>> FinishAndSeal(const Digest& digest) = 0;
};

// An object's bytes as they come from another process. Used by one coroutine at a time.
class ObjectStream {
 public:
  virtual ~ObjectStream() = default;
  // At most `size` (> 0) bytes; 0 at the end of the range. kDataLoss where the stream ended before it, or the object is
  // corrupt.
  virtual boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) = 0;
};

// The digest of what `range` is all of; nullopt where it is a part.
inline std::optional<Digest> DigestOfWhole(const Blob& blob, const ByteRange& range) {
  if (range.offset_bytes == 0 && range.length_bytes == blob.size_bytes) return blob.digest;
  return std::nullopt;
}

// The bytes of the range that was asked for: themselves, or the open file whose bytes at ByteRange::offset_bytes they
// are, or a stream.
using ObjectContent = std::variant<std::string, OwnedFd, std::unique_ptr<ObjectStream>>;

// The blob service, wherever it runs (proto/entrepot/blob/v1; services/blob/sessions/upload_sessions.h has the contract
// of each call and its status codes; besides them kUnavailable where the service does not answer within its deadline).
// A session belongs to context.caller's account: to another one it is unknown. Thread-safe; each call resumes on the
// caller's executor.
class BlobBackend {
 public:
  virtual ~BlobBackend() = default;

  virtual boost::asio::awaitable<absl::StatusOr<Upload>> StartUpload(const CallContext& context,
                                                                     const RepositoryName& repository,
                                                                     DigestAlgorithm algorithm) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<Upload>> GetUpload(const CallContext& context,
                                                                   const RepositoryName& repository,
                                                                   const UploadId& id) = 0;
  // The session is checked before this returns; `context` must outlive the stream.
  virtual boost::asio::awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> AppendToUpload(
      const CallContext& context, const RepositoryName& repository, const UploadId& id,
      const AppendOptions& options) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<SealedUpload>> SealUpload(const CallContext& context,
                                                                          const RepositoryName& repository,
                                                                          const UploadId& id, const Digest& digest) = 0;
  virtual boost::asio::awaitable<absl::Status> CancelUpload(const CallContext& context,
                                                            const RepositoryName& repository, const UploadId& id) = 0;
  virtual boost::asio::awaitable<absl::Status> ForgetUpload(const CallContext& context,
                                                            const RepositoryName& repository, const UploadId& id) = 0;

  // kNotFound where no object has the blob's key; kDataLoss where it is not what the blob says. A range that is all of
  // the blob is never given whole where it has another digest: the call or the stream ends in kDataLoss instead. A part
  // cannot be checked; it is kDataLoss only where the object is known to be corrupt, or does not have it.
  virtual boost::asio::awaitable<absl::StatusOr<ObjectContent>> ReadObject(const CallContext& context, const Blob& blob,
                                                                           const ByteRange& range) = 0;

  // OK, or why it cannot be used now. Within a second; blocks; for /readyz.
  virtual absl::Status CheckReady() = 0;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_BLOB_BACKEND_H_
