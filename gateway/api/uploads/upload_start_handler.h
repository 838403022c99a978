#ifndef ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_START_HANDLER_H_
#define ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_START_HANDLER_H_

#include <cstdint>
#include <memory>

#include "gateway/api/request/query.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"

namespace entrepot::gateway::api {

// POST /v2/N/blobs/uploads/: starts an upload session (with ?digest-algorithm=, one that will have that kind of
// digest), or mounts a blob (?mount=D&from=M), or takes the whole blob at once (?digest=D). Thread-safe.
//
// Counter: entrepot_gateway_mounts_total{result}, "mounted" or "unknown" (a session was started instead).
class UploadsHandler {
 public:
  // Both backends must outlive the handler.
  UploadsHandler(BlobBackend* blobs, ManifestBackend* manifests, uint64_t blob_bytes_max,
                 const std::shared_ptr<prometheus::Registry>& registry);

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Start(RegistryRequest& request, DigestAlgorithm algorithm) const;
  // A blob that cannot be mounted is no error: kNotFound stays in here, and the answer is a session.
  HandlerResult Mount(RegistryRequest& request, const Digest& digest, const Query& query) const;
  HandlerResult TakeWhole(RegistryRequest& request, const Digest& digest) const;

  BlobBackend* const blobs_;
  ManifestBackend* const manifests_;
  const uint64_t blob_bytes_max_;
  prometheus::Counter* mounted_;
  prometheus::Counter* not_mounted_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_UPLOADS_UPLOAD_START_HANDLER_H_
