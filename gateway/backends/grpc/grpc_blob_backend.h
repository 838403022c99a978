#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_BLOB_BACKEND_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_BLOB_BACKEND_H_

#include <memory>

#include "absl/time/time.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "gateway/backends/grpc/shared_object_files.h"
#include "services/runtime/grpc/service_replicas.h"

namespace entrepot::gateway {

// The blob service with `replicas`. A call without a body may take `deadline`. A call with a body has no limit, but
// each message must follow within `deadline`. `calls` must outlive all calls; its header has the order in which to end.
// `files` may be null: then all bytes come through the service.
std::unique_ptr<BlobBackend> MakeGrpcBlobBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                 absl::Duration deadline, GrpcCallRegistry* calls,
                                                 std::unique_ptr<SharedObjectFiles> files = nullptr);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_BLOB_BACKEND_H_
