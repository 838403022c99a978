#ifndef ENTREPOT_SERVICES_MANIFEST_GRPC_BLOB_STORAGE_H_
#define ENTREPOT_SERVICES_MANIFEST_GRPC_BLOB_STORAGE_H_

#include <memory>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "services/core/blob_storage.h"

namespace entrepot::manifest {

// BlobStorage of a blob service in another process. Each call has `deadline` with all its attempts, but for those that
// read or copy objects, which have the time that takes. kUnavailable if no answer came within it.
std::unique_ptr<BlobStorage> MakeGrpcBlobStorage(std::shared_ptr<grpc::Channel> channel, absl::Duration deadline);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GRPC_BLOB_STORAGE_H_
