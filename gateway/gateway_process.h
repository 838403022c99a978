#ifndef ENTREPOT_GATEWAY_GATEWAY_PROCESS_H_
#define ENTREPOT_GATEWAY_GATEWAY_PROCESS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/gateway.pb.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/service_main.h"

namespace entrepot::gateway {

void FillAndCheck(config::v1::GatewayConfig* config, runtime::ConfigProblems* problems);

// The gateway in front of the services, each a process of its own. Serves on return, whether or not they are there:
// that is what /readyz tells.
absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartGateway(const config::v1::GatewayConfig& config,
                                                                      const runtime::ServiceContext& context);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_GATEWAY_PROCESS_H_
