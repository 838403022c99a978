#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_CHANNEL_READINESS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_CHANNEL_READINESS_H_

#include <memory>

#include "absl/status/status.h"
#include "grpcpp/channel.h"

namespace entrepot::runtime {

// OK if the service reports that it serves (grpc.health.v1): pulls for CheckChannelReady(), pushes for
// CheckChannelWritable() (GrpcServer::ShowReadiness()). A service that refuses the name in this process's certificate
// is not ready. Waits less than a second for a connection and the response. Otherwise kUnavailable with the reason.
absl::Status CheckChannelReady(const std::shared_ptr<grpc::Channel>& channel);
absl::Status CheckChannelWritable(const std::shared_ptr<grpc::Channel>& channel);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_CHANNEL_READINESS_H_
