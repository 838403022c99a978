#ifndef ENTREPOT_SERVICES_MANIFEST_GRPC_BLOB_STORAGE_H_
#define ENTREPOT_SERVICES_MANIFEST_GRPC_BLOB_STORAGE_H_

#include <memory>

#include "absl/time/time.h"
#include "services/core/blob_storage.h"
#include "services/runtime/grpc/service_replicas.h"

namespace entrepot::manifest {

// BlobStorage of a blob service in other processes, its replicas. Each call has `deadline` with all its attempts, but
// for those that read or copy objects, which have the time that takes. kUnavailable if no answer came within it.
std::unique_ptr<BlobStorage> MakeGrpcBlobStorage(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                 absl::Duration deadline);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GRPC_BLOB_STORAGE_H_
