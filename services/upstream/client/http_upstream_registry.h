#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_HTTP_UPSTREAM_REGISTRY_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_HTTP_UPSTREAM_REGISTRY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/outbound/http_hop.h"
#include "services/upstream/client/registry_client.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// The registry of an entry of the upstreams file over HTTP. The entry must have its defaults and have passed the
// file's checks; kInvalidArgument if its URL cannot be used. `clock` outlives the registry. Nothing is sent before the
// first call.
absl::StatusOr<std::unique_ptr<UpstreamRegistry>> MakeUpstreamRegistry(
    const config::v1::Upstream& entry, const Clock* clock, const std::shared_ptr<prometheus::Registry>& registry,
    const MakeHop& make_hop = outbound::HttpHop::Create);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_HTTP_UPSTREAM_REGISTRY_H_
