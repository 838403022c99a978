#ifndef ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_

#include "gateway/api/content/list_turns.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/upstream/cached_content.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/N/referrers/<digest>?artifactType=: an image index of the manifests whose subject has this digest.
// Thread-safe.
class ReferrersHandler {
 public:
  // All must outlive the handler. `cached` is null without upstreams.
  ReferrersHandler(ManifestBackend* manifests, ListTurns* turns, const CachedContent* cached)
      : manifests_(manifests), turns_(turns), cached_(cached) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
  ListTurns* const turns_;
  const CachedContent* const cached_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_REFERRERS_HANDLER_H_
