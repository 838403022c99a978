#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_AUTH_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_AUTH_BACKEND_H_

#include <memory>

#include "absl/time/time.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "services/runtime/grpc/service_replicas.h"

namespace entrepot::gateway {

// The auth service with `replicas`. Each call may take `deadline`. `calls` must outlive all calls; its header has the
// order in which to end.
//
// Issuing a token twice is harmless. A command that changes something is sent once: if its response is lost, the
// administrator gets kUnavailable. A second attempt would fail because the name exists, and the secret of the first one
// would be lost.
std::unique_ptr<AuthBackend> MakeGrpcAuthBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                 absl::Duration deadline, GrpcCallRegistry* calls);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_AUTH_BACKEND_H_
