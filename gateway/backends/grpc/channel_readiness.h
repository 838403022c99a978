#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_CHANNEL_READINESS_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_CHANNEL_READINESS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/channel.h"

namespace entrepot::gateway {

// OK if the service reports that it serves (grpc.health.v1). A service that refuses the name in this process's
// certificate is not ready. Waits less than a second for a connection and the response. Otherwise kUnavailable; the
// message begins with `service`.
absl::Status CheckChannelReady(grpc::Channel& channel, absl::string_view service);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_CHANNEL_READINESS_H_
