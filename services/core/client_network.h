#ifndef ENTREPOT_SERVICES_CORE_CLIENT_NETWORK_H_
#define ENTREPOT_SERVICES_CORE_CLIENT_NETWORK_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// What limits per client address count as one client: "192.0.2.1", or the /64 of an IPv6 address, because one machine
// usually has a whole /64. An IPv4 address that is written as IPv6 counts as itself. Other text is returned unchanged.
std::string ClientNetwork(absl::string_view address);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_CLIENT_NETWORK_H_
