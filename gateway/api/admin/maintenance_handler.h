#ifndef ENTREPOT_GATEWAY_API_ADMIN_MAINTENANCE_HANDLER_H_
#define ENTREPOT_GATEWAY_API_ADMIN_MAINTENANCE_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/manifest_backend.h"

namespace entrepot::gateway::api {

// POST /entrepot/v1/maintain: a command of entrepotctl for the manifest service. The body is a
// manifest.v1.MaintainRequest in protobuf's JSON mapping, the response a MaintainResponse. 409 while a job of the same
// kind is running. Thread-safe.
class MaintenanceHandler {
 public:
  // `manifests` must outlive the handler.
  explicit MaintenanceHandler(ManifestBackend* manifests) : manifests_(manifests) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  ManifestBackend* const manifests_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_ADMIN_MAINTENANCE_HANDLER_H_
