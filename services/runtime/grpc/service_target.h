#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_SERVICE_TARGET_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_SERVICE_TARGET_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::runtime {

// One part of a Service.target, whose parts are separated by commas: "host:port", which is one replica, or
// "dns:///name:port", where each address of the name is a replica.
struct TargetPart {
  std::string text;  // As it is written.
  std::string host;  // Without the brackets of an IPv6 address.
  uint16_t port = 0;
  bool is_name = false;  // Whether it begins with "dns:///".
};

// The parts of a target that CheckService() (services/runtime/config/config_checks.h) accepts.
std::vector<TargetPart> SplitTarget(absl::string_view target);

// Gives the IP addresses of a host name, each once, in ascending order. May block.
using HostResolver = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host)>;

// Asks the system (getaddrinfo). kUnavailable with the reason if it gives no address.
absl::StatusOr<std::vector<std::string>> ResolveBySystem(const std::string& host);

// The target of a gRPC channel to an IP address: "ipv4:127.0.0.1:5011" or "ipv6:[::1]:5011".
std::string AddressTarget(absl::string_view ip_address, uint16_t port);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_SERVICE_TARGET_H_
