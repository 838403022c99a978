#include <sys/stat.h>

#include "services/ctl/client/http_client.h"
#include "services/ctl/program.h"

int main(int argc, char** argv) {
  // What it writes, like a restored data directory, contains secrets.
  ::umask(S_IRWXG | S_IRWXO);
  entrepot::ctl::OutboundHttpClient http;
  return entrepot::ctl::RunEntrepotctl({argv + 1, argv + argc}, http);
}
