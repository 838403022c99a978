#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_CONNECTION_REFUSAL_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_CONNECTION_REFUSAL_H_

namespace entrepot::gateway::http {

// Sends 503 with the reason to a client that has used up its share of the connections
// (limits.connections_per_address_max), as far as that is possible without waiting, and ends this side. `fd` is a
// non-blocking socket without TLS that is closed next.
void SendTooManyConnections(int fd);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_CONNECTION_REFUSAL_H_
