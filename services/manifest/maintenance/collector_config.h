#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_COLLECTOR_CONFIG_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_COLLECTOR_CONFIG_H_

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::manifest {

// Adds what is wrong with the collector's settings, and within the retention file that they name.
void CheckCollectorConfig(absl::string_view field, const config::v1::Collector& collector,
                          runtime::ConfigProblems* problems);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_COLLECTOR_CONFIG_H_
