#ifndef ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/N/referrers/<digest>?artifactType=: an image index of the manifests whose subject has this digest.
// Thread-safe.
class ReferrersHandler {
 public:
  // `manifests` must outlive the handler.
  explicit ReferrersHandler(ManifestBackend* manifests) : manifests_(manifests) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_
