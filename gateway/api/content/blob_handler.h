#ifndef ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_

#include <cstddef>

#include "gateway/api/content/blob_reader.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "services/core/digest.h"

namespace entrepot::gateway::api {

// /v2/N/blobs/<digest>: GET with ranges and conditions, HEAD, DELETE. Thread-safe.
class BlobHandler {
 public:
  // Both must outlive the handler. A response has at most `ranges_max` ranges.
  BlobHandler(BlobBackend* blobs, ManifestBackend* manifests, size_t ranges_max)
      : reader_(blobs, manifests), manifests_(manifests), ranges_max_(ranges_max) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Get(RegistryRequest& request, const Digest& digest) const;
  HandlerResult Delete(RegistryRequest& request, const Digest& digest) const;

  const BlobReader reader_;
  ManifestBackend* const manifests_;
  const size_t ranges_max_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_BLOB_HANDLER_H_
