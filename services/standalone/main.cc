// entrepot: the whole registry in one process (proto/entrepot/config/v1/standalone.proto).

#include "entrepot/config/v1/standalone.pb.h"
#include "services/runtime/service_main.h"
#include "services/standalone/registry_process.h"

int main(int argc, char** argv) {
  entrepot::runtime::ServiceDefinition<entrepot::config::v1::StandaloneConfig> definition;
  definition.name = "entrepot";
  definition.default_operator_port = 5001;
  definition.fill_and_check = entrepot::standalone::FillAndCheck;
  definition.start = entrepot::standalone::StartRegistry;
  return entrepot::runtime::ServiceMain(argc, argv, definition);
}
