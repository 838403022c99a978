#ifndef ENTREPOT_SERVICES_CORE_CLIENT_NETWORK_H_
#define ENTREPOT_SERVICES_CORE_CLIENT_NETWORK_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entrepot {

// The network by which limits count a client: "192.0.2.1", or the /64 of an IPv6 address, because a client may have all
// addresses of it. Other text is returned unchanged.
std::string ClientNetwork(absl::string_view address);

// Whose share a request counts against: "account ada", or "network 192.0.2.1" for a caller without an account. Empty if
// neither is known.
std::string Requester(absl::string_view account, absl::string_view address);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_CLIENT_NETWORK_H_
