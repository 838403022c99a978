#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_DESCRIPTOR_CHECKS_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_DESCRIPTOR_CHECKS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::runtime {

// The file descriptors that the process may have open (RLIMIT_NOFILE). ServiceMain() raises it as far as it can.
uint64_t DescriptorLimit();

// Compares limits.connections_max with the file descriptors that the process may open. Each connection needs two, for
// its socket and for a file that it sends or receives. `kept_back` are those of the process's other parts; some more
// are kept back for the operator port and the rest. If the connections need more than there are, lowers connections_max
// (and the share of an address) to what fits and adds a warning. If not even a few connections fit, adds a problem.
// Call it after CheckLimits().
void FitToDescriptors(absl::string_view field, uint64_t kept_back, uint64_t descriptors, config::v1::Limits* limits,
                      ConfigProblems* problems);

// The same for the connections_max of an endpoint of gRPC. The second descriptor of each connection is for the files of
// its calls. Call it after CheckGrpcEndpoint().
void FitToDescriptors(absl::string_view field, uint64_t kept_back, uint64_t descriptors, config::v1::Endpoint* endpoint,
                      ConfigProblems* problems);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_DESCRIPTOR_CHECKS_H_
