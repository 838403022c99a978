#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_HOST_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_HOST_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// The host of a registry, as clients write it: "docker.io", "registry.example:5000", "[2001:db8::1]:5000".
struct UpstreamHost {
  // In lower case, without the dot that may end a name; an IPv6 address in its one text, without brackets.
  std::string host;
  // 1 to 65535; 0 if the text has none.
  uint32_t port = 0;
};

// nullopt: the text is not a host with or without a port.
std::optional<UpstreamHost> ParseUpstreamHost(absl::string_view text);

// The one text of all that name the same host of a registry: "Docker.IO:443" is "docker.io". nullopt as above.
std::optional<std::string> FoldHost(absl::string_view text);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAM_HOST_H_
