#ifndef ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// GET /v2/N/tags/list?n=&last=. Thread-safe.
class TagListHandler {
 public:
  // `manifests` must outlive the handler.
  explicit TagListHandler(ManifestBackend* manifests) : manifests_(manifests) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_TAG_LIST_HANDLER_H_
