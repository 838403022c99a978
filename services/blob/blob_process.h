#ifndef ENTREPOT_SERVICES_BLOB_BLOB_PROCESS_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_PROCESS_H_

#include "entrepot/config/v1/blob.pb.h"
#include "services/runtime/service_main.h"

namespace entrepot::blob {

// The blob service as a process of its own: the stack on a KV of its own, behind gRPC.
runtime::ServiceDefinition<config::v1::BlobServiceConfig> BlobProcess();

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_PROCESS_H_
