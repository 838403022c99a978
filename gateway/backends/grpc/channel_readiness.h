#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_CHANNEL_READINESS_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_CHANNEL_READINESS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/channel.h"

namespace entrepot::gateway {

// OK where the service answers that it serves (grpc.health.v1), to us too: one that refuses us by our certificate's
// name is not ready. Waits for a connection and the answer for less than a second. kUnavailable, naming `service`,
// where not.
absl::Status CheckChannelReady(grpc::Channel& channel, absl::string_view service);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_CHANNEL_READINESS_H_
