#ifndef ENTREPOT_SERVICES_MANIFEST_GRPC_OBJECT_ACCESS_H_
#define ENTREPOT_SERVICES_MANIFEST_GRPC_OBJECT_ACCESS_H_

#include <memory>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "services/core/object_access.h"

namespace entrepot::manifest {

// ObjectAccess of a blob service in another process. Each call has `deadline` with all its attempts, but for those that
// read or copy objects, which have the time that takes. kUnavailable where no answer came within it.
std::unique_ptr<ObjectAccess> MakeGrpcObjectAccess(std::shared_ptr<grpc::Channel> channel, absl::Duration deadline);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GRPC_OBJECT_ACCESS_H_
