#ifndef ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "services/core/digest.h"

namespace entrepot::gateway::api {

// /v2/N/blobs/<digest>: GET with ranges and conditions, HEAD, DELETE. Thread-safe.
class BlobHandler {
 public:
  // Both must outlive the handler.
  BlobHandler(BlobBackend* blobs, ManifestBackend* manifests) : blobs_(blobs), manifests_(manifests) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Get(RegistryRequest& request, const Digest& digest) const;
  HandlerResult Delete(RegistryRequest& request, const Digest& digest) const;
  // The blob's bytes, also if they have moved to another storage key since FindBlob().
  boost::asio::awaitable<absl::StatusOr<Body>> ReadBody(RegistryRequest& request, Blob blob,
                                                        const ByteRange& range) const;

  BlobBackend* const blobs_;
  ManifestBackend* const manifests_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_
