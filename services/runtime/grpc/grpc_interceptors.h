#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_INTERCEPTORS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_INTERCEPTORS_H_

#include <memory>

#include "grpcpp/support/client_interceptor.h"
#include "grpcpp/support/server_interceptor.h"
#include "prometheus/registry.h"

namespace entrepot::runtime {

// Metrics and logs that GrpcServer and MakeChannel() add to every call. `method` is the full name of the method, such
// as "/entrepot.blob.v1.BlobService/Seal", and `code` the name of the gRPC code, such as "NOT_FOUND".

// Counts entrepot_grpc_server_started_total{method} and entrepot_grpc_server_handled_total{method,code}, and measures
// entrepot_grpc_server_handling_seconds{method}. Logs calls that end with UNAVAILABLE, INTERNAL, DATA_LOSS or UNKNOWN,
// with their request id. A call whose client disconnects before there is a status counts as CANCELLED.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeServerInterceptorFactory(
    const std::shared_ptr<prometheus::Registry>& registry);

// Counts entrepot_grpc_client_handled_total{method,code}, and measures entrepot_grpc_client_handling_seconds{method}.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> MakeClientInterceptorFactory(
    const std::shared_ptr<prometheus::Registry>& registry);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_INTERCEPTORS_H_
