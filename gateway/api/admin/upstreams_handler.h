#ifndef ENTREPOT_GATEWAY_API_ADMIN_UPSTREAMS_HANDLER_H_
#define ENTREPOT_GATEWAY_API_ADMIN_UPSTREAMS_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/upstream_backend.h"

namespace entrepot::gateway::api {

// POST /entrepot/v1/upstreams: a command of entrepotctl for the upstream service. The body is an
// upstream.v1.ManageUpstreamsRequest in protobuf's JSON mapping, the response a ManageUpstreamsResponse. 404 in a
// registry without upstreams. Thread-safe.
class UpstreamsHandler {
 public:
  // `upstreams` must outlive the handler; nullptr: there are none.
  explicit UpstreamsHandler(UpstreamBackend* upstreams) : upstreams_(upstreams) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  UpstreamBackend* const upstreams_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_ADMIN_UPSTREAMS_HANDLER_H_
