#ifndef ENTREPOT_SERVICES_MANIFEST_GRPC_OBJECT_ACCESS_H_
#define ENTREPOT_SERVICES_MANIFEST_GRPC_OBJECT_ACCESS_H_

#include <memory>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "services/core/object_access.h"

namespace entrepot::manifest {

// ObjectAccess to a blob service in another process. `deadline` limits each call including its retries, except calls
// that read, list or copy objects, which have more time. kUnavailable: there was no response within that time.
std::unique_ptr<ObjectAccess> MakeGrpcObjectAccess(std::shared_ptr<grpc::Channel> channel, absl::Duration deadline);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GRPC_OBJECT_ACCESS_H_
