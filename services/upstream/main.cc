#include "services/runtime/service_main.h"
#include "services/upstream/upstream_process.h"

int main(int argc, char** argv) {
  return entrepot::runtime::ServiceMain(argc, argv, entrepot::upstream::UpstreamProcess());
}
