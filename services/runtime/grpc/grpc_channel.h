#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_

#include <memory>

#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/channel.h"
#include "prometheus/registry.h"

namespace entrepot::runtime {

// Creates a channel to service.target() with messages of up to kGrpcMessageBytesMax, keepalive, reconnection after at
// most a second (so that a restarted service is found quickly), and client metrics:
//   entrepot_grpc_client_handled_total{method,code}, entrepot_grpc_client_handling_seconds{method}
// With service.tls, the channel connects only to a server with one of the names that it lists (grpc_credentials.h). If
// the files cannot be used, which CheckService() reports before, that is logged, and calls fail with UNAVAILABLE. The
// channel connects in the background: calls to a service that cannot be reached fail with UNAVAILABLE. The caller sets
// the deadline of each call (service.deadline()).
std::shared_ptr<grpc::Channel> MakeChannel(const config::v1::Service& service,
                                           const std::shared_ptr<prometheus::Registry>& registry);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_
