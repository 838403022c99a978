#ifndef ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_

#include "gateway/api/content/list_turns.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/upstream/cached_content.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/N/tags/list?n=&last=. Thread-safe.
class TagListHandler {
 public:
  // All must outlive the handler. `cached` is null without upstreams.
  TagListHandler(ManifestBackend* manifests, ListTurns* turns, const CachedContent* cached)
      : manifests_(manifests), turns_(turns), cached_(cached) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
  ListTurns* const turns_;
  const CachedContent* const cached_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_
