#ifndef ENTREPOT_GATEWAY_API_CONTENT_BLOB_READER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_BLOB_READER_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/call_context.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/body/body.h"
#include "services/core/content.h"
#include "services/core/range_header.h"
#include "services/core/repository_name.h"

namespace entrepot::gateway::api {

// Reads the bytes of a blob that was found in a repository. Thread-safe.
class BlobReader {
 public:
  // Both must outlive the BlobReader.
  BlobReader(BlobBackend* blobs, ManifestBackend* manifests) : blobs_(blobs), manifests_(manifests) {}

  // The bytes of the range, also if they have moved to another storage key since `blob` was found. The status codes are
  // those of BlobBackend::ReadObject(). Damage is reported to the manifest service, also if it is found while the piece
  // is read. `memory_bytes` and `may_redirect` as in BlobBackend::ReadObject().
  boost::asio::awaitable<absl::StatusOr<ObjectContent>> Read(const CallContext& call, const RepositoryName& repository,
                                                             Blob blob, const ByteRange& range, size_t memory_bytes,
                                                             bool may_redirect) const;

 private:
  BlobBackend* blobs_;
  ManifestBackend* manifests_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_BLOB_READER_H_
