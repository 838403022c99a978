#ifndef ENTREPOT_GATEWAY_API_REGISTRY_API_H_
#define ENTREPOT_GATEWAY_API_REGISTRY_API_H_

#include <memory>

#include "entrepot/config/v1/shared.pb.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/http/handler.h"
#include "prometheus/registry.h"

namespace entrepot::gateway::api {

// The OCI distribution API (specification v1.1.1 and its main branch, section "Endpoints") over the backends, which
// must outlive it.
std::unique_ptr<http::Handler> MakeRegistryApi(BlobBackend* blobs, ManifestBackend* manifests,
                                               const config::v1::Limits& limits,
                                               const std::shared_ptr<prometheus::Registry>& registry);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REGISTRY_API_H_
