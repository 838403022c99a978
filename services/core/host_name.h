#ifndef ENTREPOT_SERVICES_CORE_HOST_NAME_H_
#define ENTREPOT_SERVICES_CORE_HOST_NAME_H_

#include "absl/strings/string_view.h"

// The hosts of URLs and Host fields, as clients write them.
namespace entrepot {

// The host of "host", "host:port" or "[2001:db8::1]:port": without the port, the brackets and the dot that may end a
// name. A view into the text.
absl::string_view HostOf(absl::string_view authority);

// A name of letters, digits, "-", "." and "_", or an IP address without brackets, of at most 253 bytes, without a dot
// at the end.
bool IsHost(absl::string_view text);

// Whether both are the same name, whose case does not matter, or the same IP address.
bool IsSameHost(absl::string_view a, absl::string_view b);

// "localhost" and the names below it, which every browser and resolver takes for the loopback address, and loopback
// addresses.
bool IsLoopbackHost(absl::string_view host);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_HOST_NAME_H_
