#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_HEALTH_PROBE_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_HEALTH_PROBE_H_

#include <functional>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace entrepot::runtime {

// One call of grpc.health.v1.Health/Check.
struct HealthProbe {
  // Whose health; "" for the whole server.
  absl::string_view service;
  absl::Duration patience;
  // Whether to wait for a connection. Otherwise the call fails at once if the server cannot be reached.
  bool wait_for_connection = false;
};

// Called once, on one of gRPC's threads. `serving` is valid if the status is OK. A service that has not decided yet
// serves.
using HealthProbeDone = std::function<void(const grpc::Status& status, bool serving)>;

// Starts the call. The result is the call's context, by which it can be cancelled.
std::shared_ptr<grpc::ClientContext> StartHealthProbe(const std::shared_ptr<grpc::Channel>& channel,
                                                      const HealthProbe& probe, HealthProbeDone done);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_HEALTH_PROBE_H_
