#ifndef ENTREPOT_SERVICES_STANDALONE_REGISTRY_PROCESS_H_
#define ENTREPOT_SERVICES_STANDALONE_REGISTRY_PROCESS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/standalone.pb.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/service_main.h"

namespace entrepot::standalone {

void FillAndCheck(config::v1::StandaloneConfig* config, runtime::ConfigProblems* problems);

// Starts the whole registry in this process: one KV with the keys of all services, the services' own classes over it,
// and the gateway, which calls them directly. The registry serves requests when this returns.
absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartRegistry(const config::v1::StandaloneConfig& config,
                                                                       const runtime::ServiceContext& context);

}  // namespace entrepot::standalone

#endif  // ENTREPOT_SERVICES_STANDALONE_REGISTRY_PROCESS_H_
