#ifndef ENTREPOT_GATEWAY_API_CONTENT_REPOSITORY_HANDLER_H_
#define ENTREPOT_GATEWAY_API_CONTENT_REPOSITORY_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/manifest_backend.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// DELETE /entrepot/v1/repositories/N: deletes a repository with everything in it. The response contains the numbers of
// deleted manifests, tags and blobs. Each deletion is written to the audit log, event "administration". Thread-safe.
class RepositoryHandler {
 public:
  // Both must outlive the handler. `audit` may be nullptr.
  RepositoryHandler(ManifestBackend* manifests, runtime::AuditLog* audit) : manifests_(manifests), audit_(audit) {}

  HandlerResult Handle(RegistryRequest& request) const;

 private:
  ManifestBackend* const manifests_;
  runtime::AuditLog* const audit_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_REPOSITORY_HANDLER_H_
