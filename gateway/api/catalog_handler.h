#ifndef ENTREPOT_GATEWAY_API_CATALOG_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CATALOG_HANDLER_H_

#include "gateway/api/registry_request.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/_catalog?n=&last=: the repositories. Thread-safe.
class CatalogHandler {
 public:
  // `manifests` must outlive the handler.
  explicit CatalogHandler(ManifestBackend* manifests) : manifests_(manifests) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  ManifestBackend* const manifests_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CATALOG_HANDLER_H_
