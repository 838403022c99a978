#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_INTERCEPTORS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_INTERCEPTORS_H_

#include <memory>

#include "grpcpp/support/client_interceptor.h"
#include "grpcpp/support/server_interceptor.h"
#include "prometheus/registry.h"

namespace entrepot::runtime {

// What GrpcServer and MakeChannel() put on every call. `method` is the full name, "/entrepot.blob.v1.BlobService/Seal",
// `code` the gRPC code's name, "NOT_FOUND".

// Counts entrepot_grpc_server_started_total{method}, entrepot_grpc_server_handled_total{method,code} and times
// entrepot_grpc_server_handling_seconds{method}; logs calls that end in UNAVAILABLE, INTERNAL, DATA_LOSS or UNKNOWN
// with their request id. A call whose client went away before it had a status counts as CANCELLED.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeServerInterceptorFactory(
    const std::shared_ptr<prometheus::Registry>& registry);

// Counts entrepot_grpc_client_handled_total{method,code}, times entrepot_grpc_client_handling_seconds{method}.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> MakeClientInterceptorFactory(
    const std::shared_ptr<prometheus::Registry>& registry);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_INTERCEPTORS_H_
