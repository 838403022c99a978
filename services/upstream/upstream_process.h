#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_PROCESS_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_PROCESS_H_

#include "entrepot/config/v1/upstream.pb.h"
#include "services/runtime/service_main.h"

namespace entrepot::upstream {

// The definition of entrepot-upstream: UpstreamCache over a KV of its own and over the blob and the manifest service,
// behind gRPC.
runtime::ServiceDefinition<config::v1::UpstreamServiceConfig> UpstreamProcess();

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_PROCESS_H_
