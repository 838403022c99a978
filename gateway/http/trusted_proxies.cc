#include "gateway/http/trusted_proxies.h"

#include <algorithm>
#include <optional>
#include <string>

#include "services/status/status_macros.h"

namespace entrepot::gateway::http {

absl::StatusOr<TrustedProxies> TrustedProxies::Create(const config::v1::PublicEndpoint& endpoint) {
  TrustedProxies proxies;
  for (const std::string& text : endpoint.trusted_proxies()) {
    ASSIGN_OR_RETURN(const IpNetwork network, IpNetwork::Parse(text));
    proxies.networks_.push_back(network);
  }
  proxies.use_forwarded_ = endpoint.forwarded_header() == "forwarded";
  proxies.send_proxy_header_ = endpoint.proxy_protocol();
  return proxies;
}

bool TrustedProxies::Contains(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&address](const IpNetwork& network) { return network.Contains(address); });
}

bool TrustedProxies::Contains(absl::string_view address) const {
  if (networks_.empty()) return false;
  const std::optional<IpAddress> parsed = IpAddress::Parse(address);
  return parsed.has_value() && Contains(*parsed);
}

ForwardedClient TrustedProxies::ReadClient(const Request& request) const {
  const auto is_trusted = [this](const IpAddress& address) { return Contains(address); };
  return use_forwarded_ ? ReadForwarded(request, is_trusted) : ReadXForwarded(request, is_trusted);
}

}  // namespace entrepot::gateway::http
