#ifndef ENTREPOT_GATEWAY_API_REPOSITORY_HANDLER_H_
#define ENTREPOT_GATEWAY_API_REPOSITORY_HANDLER_H_

#include "gateway/api/registry_request.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// DELETE /entrepot/v1/repositories/N: all that is in a repository, with it. Answers how much that was. Thread-safe.
class RepositoryHandler {
 public:
  // `manifests` must outlive the handler.
  explicit RepositoryHandler(ManifestBackend* manifests) : manifests_(manifests) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REPOSITORY_HANDLER_H_
