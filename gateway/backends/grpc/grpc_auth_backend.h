#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_AUTH_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_AUTH_BACKEND_H_

#include <memory>

#include "absl/time/time.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "grpcpp/channel.h"

namespace entrepot::gateway {

// The auth service behind `channel`. Each call may take `deadline`. `calls` must outlive all calls, and see there for
// the order in which things end.
//
// A token that was issued twice does no harm. A command that changes something is sent once: where its answer was lost,
// the administrator hears that (kUnavailable), not that a robot's name is taken whose secret nobody has seen.
std::unique_ptr<AuthBackend> MakeGrpcAuthBackend(std::shared_ptr<grpc::Channel> channel, absl::Duration deadline,
                                                 GrpcCalls* calls);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_AUTH_BACKEND_H_
