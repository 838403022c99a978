#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_DEFAULTS_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_DEFAULTS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "entrepot/config/v1/authentication.pb.h"
#include "entrepot/config/v1/shared.pb.h"
#include "google/protobuf/duration.pb.h"

namespace entrepot::runtime {

// Each sets what the file left out (zero, empty, absent) to the default that proto/entrepot/config/v1 states. Past
// this, nobody has to know a default.

// The address, and, where default_port is not 0, the port.
void FillDefaults(uint32_t default_port, config::v1::Endpoint* endpoint);
void FillDefaults(config::v1::PublicEndpoint* endpoint);
void FillDefaults(config::v1::Limits* limits);
void FillDefaults(config::v1::Uploads* uploads);
void FillDefaults(config::v1::Collector* collector);
void FillDefaults(config::v1::Log* log);
void FillDefaults(config::v1::Service* service);
void FillDefaults(config::v1::Authentication* authentication);
// drain_timeout of every process: 25s.
void FillDrainTimeout(google::protobuf::Duration* drain_timeout);

// What a configured duration is in absl's terms.
absl::Duration ToDuration(const google::protobuf::Duration& duration);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_DEFAULTS_H_
