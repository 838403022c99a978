#ifndef ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_

#include "gateway/api/content/list_turns.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/N/tags/list?n=&last=. Thread-safe.
class TagListHandler {
 public:
  // Both must outlive the handler.
  TagListHandler(ManifestBackend* manifests, ListTurns* turns) : manifests_(manifests), turns_(turns) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
  ListTurns* const turns_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_
