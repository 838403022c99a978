#ifndef ENTREPOT_GATEWAY_HTTP_TRUSTED_PROXIES_H_
#define ENTREPOT_GATEWAY_HTTP_TRUSTED_PROXIES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "gateway/http/forwarded_fields.h"
#include "gateway/http/message.h"
#include "services/core/ip_network.h"

namespace entrepot::gateway::http {

// The reverse proxies that the configuration trusts: which they are, and how they report a client. Thread-safe.
class TrustedProxies {
 public:
  // `endpoint` is filled and checked (runtime/config/config_checks.h). kInvalidArgument: a network cannot be parsed.
  static absl::StatusOr<TrustedProxies> Create(const config::v1::PublicEndpoint& endpoint);

  bool empty() const { return networks_.empty(); }
  bool Contains(const IpAddress& address) const;
  // The same for an address's text.
  bool Contains(absl::string_view address) const;

  // Whether a connection from a trusted proxy begins with a header of the PROXY protocol.
  bool send_proxy_header() const { return send_proxy_header_; }

  // What the fields of a request report that came over a trusted proxy's connection.
  ForwardedClient ReadClient(const Request& request) const;

 private:
  TrustedProxies() = default;

  std::vector<IpNetwork> networks_;
  bool use_forwarded_ = false;  // Forwarded instead of X-Forwarded-For.
  bool send_proxy_header_ = false;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_TRUSTED_PROXIES_H_
