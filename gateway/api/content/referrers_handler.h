#ifndef ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_

#include "gateway/api/content/list_turns.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/N/referrers/<digest>?artifactType=: an image index of the manifests whose subject has this digest.
// Thread-safe.
class ReferrersHandler {
 public:
  // Both must outlive the handler.
  ReferrersHandler(ManifestBackend* manifests, ListTurns* turns) : manifests_(manifests), turns_(turns) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
  ListTurns* const turns_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_
