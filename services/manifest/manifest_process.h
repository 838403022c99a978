#ifndef ENTREPOT_SERVICES_MANIFEST_MANIFEST_PROCESS_H_
#define ENTREPOT_SERVICES_MANIFEST_MANIFEST_PROCESS_H_

#include "entrepot/config/v1/manifest.pb.h"
#include "services/runtime/service_main.h"

namespace entrepot::manifest {

// The manifest service as a process of its own: the catalog and its maintenance over its own KV, behind gRPC.
runtime::ServiceDefinition<config::v1::ManifestServiceConfig> ManifestProcess();

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MANIFEST_PROCESS_H_
