#ifndef ENTREPOT_SERVICES_STANDALONE_REGISTRY_PROCESS_H_
#define ENTREPOT_SERVICES_STANDALONE_REGISTRY_PROCESS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/standalone.pb.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/service_main.h"

namespace entrepot::standalone {

void FillAndCheck(config::v1::StandaloneConfig* config, runtime::ConfigProblems* problems);

// The whole registry in this process: one RocksDB with every service's keys, the services' own classes over it, and the
// gateway wired straight to them. Serves on return.
absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartRegistry(const config::v1::StandaloneConfig& config,
                                                                       const runtime::ServiceContext& context);

}  // namespace entrepot::standalone

#endif  // ENTREPOT_SERVICES_STANDALONE_REGISTRY_PROCESS_H_
