#ifndef ENTREPOT_GATEWAY_GATEWAY_PROCESS_H_
#define ENTREPOT_GATEWAY_GATEWAY_PROCESS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/gateway.pb.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/service_main.h"

namespace entrepot::gateway {

// Fills in the defaults of the configuration, and adds what is wrong with it to `problems`.
void FillAndCheck(config::v1::GatewayConfig* config, runtime::ConfigProblems* problems);

// Starts the gateway in front of the services, each of which is another process. Serves on return, whether or not the
// services can be reached; /readyz reports that.
absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartGateway(const config::v1::GatewayConfig& config,
                                                                      const runtime::ServiceContext& context);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_GATEWAY_PROCESS_H_
