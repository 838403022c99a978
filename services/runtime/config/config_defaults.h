#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_DEFAULTS_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_DEFAULTS_H_

#include <cstdint>

#include "entrepot/config/v1/authentication.pb.h"
#include "entrepot/config/v1/shared.pb.h"
#include "google/protobuf/duration.pb.h"
#include "services/core/time/proto_time.h"

namespace entrepot::runtime {

// Each function sets the fields that the file leaves out (zero, empty, absent) to the defaults that
// proto/entrepot/config/v1 states. No other code has to know a default.

// Sets the address, and, if default_port is not 0, the port.
void FillDefaults(uint32_t default_port, config::v1::Endpoint* endpoint);
// The same for an endpoint of gRPC, whose port has no default.
void FillGrpcDefaults(config::v1::Endpoint* endpoint);
void FillDefaults(config::v1::PublicEndpoint* endpoint);
void FillDefaults(config::v1::Limits* limits);
void FillDefaults(config::v1::Uploads* uploads);
// Does nothing if the records are in RocksDB.
void FillDefaults(config::v1::RecordStore* records);
void FillDefaults(config::v1::Collector* collector);
void FillDefaults(config::v1::Log* log);
// Does nothing if the objects are files.
void FillDefaults(config::v1::ObjectStorage* objects);
void FillDefaults(config::v1::Service* service);
void FillDefaults(config::v1::Authentication* authentication);
// The drain_timeout of every process: 25s.
void FillDrainTimeout(google::protobuf::Duration* drain_timeout);

// Converts a configured duration.
using entrepot::ToDuration;

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_DEFAULTS_H_
