#ifndef ENTREPOT_GATEWAY_BACKENDS_CHANNEL_READINESS_H_
#define ENTREPOT_GATEWAY_BACKENDS_CHANNEL_READINESS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/channel.h"

namespace entrepot::gateway {

// OK where the channel is connected, or gets so within a second; blocks so long. kUnavailable, naming `service`, where
// not.
absl::Status CheckChannelReady(grpc::Channel& channel, absl::string_view service);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_CHANNEL_READINESS_H_
