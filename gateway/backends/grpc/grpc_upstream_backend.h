#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPSTREAM_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPSTREAM_BACKEND_H_

#include <memory>

#include "absl/time/time.h"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "gateway/backends/upstream_backend.h"
#include "services/runtime/grpc/service_replicas.h"

namespace entrepot::gateway {

// The upstream service with `replicas`. A call without a body may take `deadline`, which must leave the service the
// time to ask an upstream. A call with a body has no limit, but each message must follow within `deadline`. `calls`
// must outlive all calls; its header has the order in which to end.
std::unique_ptr<UpstreamBackend> MakeGrpcUpstreamBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                         absl::Duration deadline, GrpcCallRegistry* calls);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_UPSTREAM_BACKEND_H_
