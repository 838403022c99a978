#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_REQUEST_ID_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_REQUEST_ID_H_

#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace entrepot::runtime {

// The gRPC metadata that carries the id of a request between services. Logs show it as "request_id".
inline constexpr char kRequestIdMetadata[] = "x-request-id";

// Must be called before the call is started. An empty id is not sent.
void SetRequestId(absl::string_view request_id, grpc::ClientContext* context);

// The id of the request that a handler serves; "" if the caller sent none.
std::string RequestIdOf(const grpc::ServerContextBase& context);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_REQUEST_ID_H_
