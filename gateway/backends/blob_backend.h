#ifndef ENTREPOT_GATEWAY_BACKENDS_BLOB_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_BLOB_BACKEND_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/backends/call_context.h"
#include "gateway/body/body.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/range_header.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway {

// Appends bytes to an upload session. Used by one coroutine at a time. If it is destroyed without Finish(), the session
// keeps as many of the appended bytes as possible.
class UploadStream {
 public:
  virtual ~UploadStream() = default;
  // `bytes` must stay unchanged until the call is done. An error is final.
  virtual boost::asio::awaitable<absl::Status> Append(absl::string_view bytes) = 0;
  // Saves the session at the returned offset. Must be the last call.
  virtual boost::asio::awaitable<absl::StatusOr<Upload>> Finish() = 0;
  // Finish() and SealUpload() in one, which costs less. Must be the last call.
  virtual boost::asio::awaitable<absl::StatusOr<Blob>> FinishAndSeal(const Digest& digest) = 0;
};

// A range of an object: its bytes or, if `url` is not empty, where the client gets the whole object. The URL is a
// secret of the client, and ends soon.
struct ObjectContent {
  BodyPiece bytes = {};
  std::string url = {};
};

// The blob's digest if `range` is the whole blob; nullopt if it is a part.
inline std::optional<Digest> DigestOfWhole(const Blob& blob, const ByteRange& range) {
  if (range.offset_bytes == 0 && range.length_bytes == blob.size_bytes) return blob.digest;
  return std::nullopt;
}

// The blob service, in this process or another (proto/entrepot/blob/v1). services/blob/sessions/upload_sessions.h has
// the contract and the status codes of each call; in addition kUnavailable: the service did not respond within its
// deadline. A session belongs to the account of context.caller and is unknown to other accounts. Thread-safe; each call
// resumes on the caller's executor.
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
  virtual boost::asio::awaitable<absl::StatusOr<Blob>> SealUpload(const CallContext& context,
                                                                  const RepositoryName& repository, const UploadId& id,
                                                                  const Digest& digest) = 0;
  virtual boost::asio::awaitable<absl::Status> CancelUpload(const CallContext& context,
                                                            const RepositoryName& repository, const UploadId& id) = 0;
  virtual boost::asio::awaitable<absl::Status> ForgetUpload(const CallContext& context,
                                                            const RepositoryName& repository, const UploadId& id) = 0;

  // As much memory as ReadObject() needs to be fast: one piece that is sent, and one that arrives meanwhile.
  static constexpr size_t kReadMemoryBytes = 512 << 10;

  // The bytes of the range. About `memory_bytes` of them are in this process's memory at once, unless the body is a
  // file; less makes a transfer slower. kNotFound: no object has the blob's storage key. kDataLoss: the object does not
  // match the blob. If the range is the whole blob, its digest is verified: if it is wrong, the call or the stream ends
  // with kDataLoss before all bytes are returned. A part cannot be verified, so kDataLoss then only means that the
  // object is known to be corrupt or does not contain the range. With `may_redirect` it may be a URL instead of the
  // bytes, which are not verified then, if the client at context.remote_address is to get the object elsewhere.
  virtual boost::asio::awaitable<absl::StatusOr<ObjectContent>> ReadObject(const CallContext& context, const Blob& blob,
                                                                           const ByteRange& range, size_t memory_bytes,
                                                                           bool may_redirect) = 0;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_BLOB_BACKEND_H_
