#ifndef ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_HANDLER_H_

#include <cstddef>

#include "gateway/api/content/manifest_bodies.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/manifest_backend.h"
#include "services/core/reference.h"

namespace entrepot::gateway::api {

// /v2/N/manifests/<tag or digest>: GET, HEAD, PUT, DELETE. Thread-safe.
//
// A pull returns the manifest as it was pushed. Accept has no effect, because every manifest has one form only.
class ManifestHandler {
 public:
  // `manifests` and `bodies` must outlive the handler. The body of a PUT may have at most `bytes_max` bytes.
  ManifestHandler(ManifestBackend* manifests, ManifestBodies* bodies, size_t bytes_max)
      : manifests_(manifests), bodies_(bodies), bytes_max_(bytes_max) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  HandlerResult Get(RegistryRequest& request, const Reference& reference) const;
  HandlerResult Put(RegistryRequest& request, const Reference& reference) const;
  HandlerResult Delete(RegistryRequest& request, const Reference& reference) const;

  ManifestBackend* const manifests_;
  ManifestBodies* const bodies_;
  const size_t bytes_max_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_MANIFEST_HANDLER_H_
