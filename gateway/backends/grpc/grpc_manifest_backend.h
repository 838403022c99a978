#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_MANIFEST_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_MANIFEST_BACKEND_H_

#include <memory>

#include "absl/time/time.h"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "gateway/backends/manifest_backend.h"
#include "services/runtime/grpc/service_replicas.h"

namespace entrepot::gateway {

// The manifest service with `replicas`. Each call may take `deadline`. `calls` must outlive all calls; its header has
// the order in which to end.
std::unique_ptr<ManifestBackend> MakeGrpcManifestBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                         absl::Duration deadline, GrpcCallRegistry* calls);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_MANIFEST_BACKEND_H_
