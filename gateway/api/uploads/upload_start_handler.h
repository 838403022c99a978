#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_START_HANDLER_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_START_HANDLER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/request/query.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/uploads/unauthenticated_uploads.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/upload_id.h"

namespace entrepot::gateway::api {

// POST /v2/N/blobs/uploads/: starts an upload session (?digest-algorithm= chooses the algorithm of its digest), mounts
// a blob (?mount=D&from=M), or uploads a whole blob in one request (?digest=D). An import into a cache mounts nothing:
// it gets an upload session instead. Thread-safe.
//
// Counter: entrepot_gateway_mounts_total{result}, "mounted" or "unknown" (not mounted).
class UploadStartHandler {
 public:
  // Both backends must outlive the handler.
  UploadStartHandler(BlobBackend* blobs, ManifestBackend* manifests, uint64_t blob_bytes_max,
                     const std::shared_ptr<prometheus::Registry>& registry);

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Start(RegistryRequest& request, DigestAlgorithm algorithm) const;
  // kNotFound: the blob cannot be mounted. Handle() then starts a session.
  HandlerResult Mount(RegistryRequest& request, const Digest& digest, const Query& query) const;
  HandlerResult UploadWhole(RegistryRequest& request, const Digest& digest) const;
  boost::asio::awaitable<absl::StatusOr<Blob>> AppendWhole(RegistryRequest& request, const UploadId& id,
                                                           const Digest& digest) const;

  BlobBackend* const blobs_;
  ManifestBackend* const manifests_;
  std::shared_ptr<UnauthenticatedUploads> unauthenticated_;
  const uint64_t blob_bytes_max_;
  prometheus::Counter* mounted_;
  prometheus::Counter* not_mounted_;
};

// The repository to mount a blob from (`?mount=<digest>&from=<name>`), so that a denial can tell the client to request
// pull on it; "" without one. Ignores errors in the query, which the handler reports.
//
// A token without a scope of the source leads to 401 with both scopes: some clients do not request both at once. A
// token whose scope of the source was denied starts an upload instead: the client would request the same token again
// after a 401, and some clients stop the push after a 403.
std::string MountSource(absl::string_view query);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_START_HANDLER_H_
