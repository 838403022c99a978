#ifndef ENTREPOT_SERVICES_CORE_PUBLIC_ADDRESS_H_
#define ENTREPOT_SERVICES_CORE_PUBLIC_ADDRESS_H_

#include "absl/status/status.h"
#include "services/core/ip_network.h"

namespace entrepot {

// OK if the internet routes the address. kPermissionDenied for others: private, loopback, link-local, reserved and
// documentation addresses, multicast, and the addresses at which clouds give credentials to their machines; the message
// names the address and its range. An IPv6 address that stands for an IPv4 address (mapped, NAT64 64:ff9b::/96, 6to4)
// is judged as that one.
absl::Status CheckPublicAddress(const IpAddress& address);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_PUBLIC_ADDRESS_H_
