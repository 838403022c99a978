#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_HOST_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_HOST_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// The one form of a host of a registry, with or without a port, as clients write it: "Docker.IO:443" is "docker.io".
// Lower case, without the port 443 and the dot that may end a name; an IPv6 address has brackets only if a port
// follows. nullopt: the text is not a host, or the port is not 1 to 65535.
std::optional<std::string> FoldHost(absl::string_view text);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_HOST_H_
