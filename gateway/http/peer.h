#ifndef ENTREPOT_GATEWAY_HTTP_PEER_H_
#define ENTREPOT_GATEWAY_HTTP_PEER_H_

#include <string>

namespace entrepot::gateway::http {

// The other end of a connection.
struct Peer {
  std::string address;  // "192.0.2.1"; by the PROXY protocol the one that the proxy reports.
  // TLS ends here, or, as the PROXY protocol reports, in the proxy.
  bool is_tls = false;
  // The address is a trusted proxy's: what its requests' fields report about their clients is believed.
  bool is_trusted_proxy = false;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_PEER_H_
