#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_REQUEST_ID_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_REQUEST_ID_H_

#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"

namespace entrepot::runtime {

// The request's id travels between services as metadata of this name, and stands in logs as "request_id".
inline constexpr char kRequestIdMetadata[] = "x-request-id";

// Before the call is started. An empty id is not sent.
void SetRequestId(absl::string_view request_id, grpc::ClientContext* context);

// "" where the caller sent none. For every kind of server context, in a handler.
std::string RequestIdOf(const grpc::ServerContextBase& context);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_REQUEST_ID_H_
