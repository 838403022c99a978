#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_

#include <memory>

#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/channel.h"
#include "prometheus/registry.h"

namespace entrepot::runtime {

// A channel to service.target() with messages up to kGrpcMessageBytesMax, keepalive, reconnection after at most a
// second (so that a restarted service is found quickly), and client metrics:
//   entrepot_grpc_client_handled_total{method,code}, entrepot_grpc_client_handling_seconds{method}
// With service.tls only a server that it names is talked to (grpc_credentials.h); files that cannot be used, which
// CheckService() would have found, are logged and leave a channel whose calls fail with UNAVAILABLE.
// Connecting happens in the background: calls to a service that is not there fail with UNAVAILABLE. Deadlines are the
// caller's to set on each call (service.deadline()).
std::shared_ptr<grpc::Channel> MakeChannel(const config::v1::Service& service,
                                           const std::shared_ptr<prometheus::Registry>& registry);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_
