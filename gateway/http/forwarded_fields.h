#ifndef ENTREPOT_GATEWAY_HTTP_FORWARDED_FIELDS_H_
#define ENTREPOT_GATEWAY_HTTP_FORWARDED_FIELDS_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "gateway/http/message.h"
#include "services/core/ip_network.h"

// The fields in which reverse proxies report a request's client. A proxy appends the address of its own client at the
// end of the list, and a client may have begun the list. So it is read from its end: an address is true if a trusted
// proxy wrote it, and the proxy at a trusted address wrote the entry before. Several fields of one name are one list.
//
// The client is the first address from the end that is not trusted; if all are trusted, the first of the list. An entry
// that names no address ("unknown", an empty one) ends the search, because the peer that wrote the entries before it is
// not known: the client is then the proxy that wrote this entry.
namespace entrepot::gateway::http {

struct ForwardedClient {
  // In its one text ("192.0.2.1"); empty if the fields name no address.
  std::string address;
  // Whether the client used TLS; nullopt if the fields do not show it.
  std::optional<bool> is_tls;
  // The host, with an optional port, by which the client reached the proxy; empty if the fields do not show it, or not
  // as a host. A view into the request.
  absl::string_view host;
};

using IsTrustedAddress = absl::FunctionRef<bool(const IpAddress& address)>;

// X-Forwarded-For, and the last values of X-Forwarded-Proto and X-Forwarded-Host: the proxy next to the registry wrote
// those.
ForwardedClient ReadXForwarded(const Request& request, IsTrustedAddress is_trusted);

// Forwarded (RFC 7239). The scheme and the host are those of the entries that trusted proxies wrote, the earlier ones
// first.
ForwardedClient ReadForwarded(const Request& request, IsTrustedAddress is_trusted);

// Whether a proxy may have ended TLS, although the request counts as one without: a field has the scheme "https",
// whatever wrote it, or a trusted proxy names its client but no scheme.
bool MayHideTls(const Request& request);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_FORWARDED_FIELDS_H_
