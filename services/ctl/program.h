#ifndef ENTREPOT_SERVICES_CTL_PROGRAM_H_
#define ENTREPOT_SERVICES_CTL_PROGRAM_H_

#include <string>
#include <vector>

#include "services/ctl/client/http_client.h"

namespace entrepot::ctl {

// The program: executes the command that `words` (argv without the program) contain and returns the exit code
// (command.h). Results go to the standard output, one line for an error to the standard error. `http` carries the
// requests to the registry.
int RunEntrepotctl(const std::vector<std::string>& words, HttpClient& http);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_PROGRAM_H_
