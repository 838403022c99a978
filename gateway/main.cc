// entrepot-gateway: HTTP in front of the services (proto/entrepot/config/v1/gateway.proto).

#include "entrepot/config/v1/gateway.pb.h"
#include "gateway/gateway_process.h"
#include "services/runtime/service_main.h"

int main(int argc, char** argv) {
  entrepot::runtime::ServiceDefinition<entrepot::config::v1::GatewayConfig> definition;
  definition.name = "entrepot-gateway";
  definition.default_operator_port = 5001;
  definition.fill_and_check = entrepot::gateway::FillAndCheck;
  definition.start = entrepot::gateway::StartGateway;
  return entrepot::runtime::ServiceMain(argc, argv, definition);
}
