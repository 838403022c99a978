#include "services/ctl/http_client.h"
#include "services/ctl/program.h"

int main(int argc, char** argv) {
  entrepot::ctl::OutboundHttpClient http;
  return entrepot::ctl::RunEntrepotctl({argv + 1, argv + argc}, http);
}
