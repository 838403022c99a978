#ifndef ENTREPOT_SERVICES_AUTH_AUTH_PROCESS_H_
#define ENTREPOT_SERVICES_AUTH_AUTH_PROCESS_H_

#include "entrepot/config/v1/auth.pb.h"
#include "services/runtime/service_main.h"

namespace entrepot::auth {

// The definition of entrepot-auth: the auth service (Authority) over a KV of its own, behind gRPC.
runtime::ServiceDefinition<config::v1::AuthServiceConfig> AuthProcess();

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTH_PROCESS_H_
