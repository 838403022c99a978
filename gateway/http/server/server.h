#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_SERVER_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"
#include "gateway/http/handler.h"
#include "prometheus/registry.h"
#include "services/core/time/deadline.h"

namespace entrepot::gateway::http {

// An HTTP/1.1 server (RFC 9110, RFC 9112). Each core has one thread with one io_context; a new connection goes to the
// thread with the fewest connections. Requests run as coroutines; the memory of each connection is bounded. If the
// endpoint has TLS, its certificate is reloaded when the files change. The server knows nothing of registries.
//
// Metrics: entrepot_http_requests_total{route,method,code}, entrepot_http_request_duration_seconds{route,method},
// entrepot_http_time_to_first_byte_seconds{route,method}, entrepot_http_request_bytes_total{route},
// entrepot_http_response_bytes_total{route} (bytes of bodies), entrepot_http_requests_in_flight,
// entrepot_http_connections, entrepot_http_connections_max, entrepot_http_connections_shed_total{action},
// entrepot_http_refused_total{code}.
class Server {
 public:
  struct Options {
    config::v1::PublicEndpoint
        endpoint;               // Filled and checked (runtime/config/config_checks.h); port 0, in tests, takes any.
    config::v1::Limits limits;  // Filled and checked.
    size_t threads = 0;         // 0: as many as there are cores.
  };

  // Listens on return. `handler` must outlive the server. kUnavailable: the server cannot listen on the address, which
  // the message contains. kInvalidArgument: the certificate or a trusted proxy's network cannot be used.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, Handler* handler,
                                                       const std::shared_ptr<prometheus::Registry>& registry);

  // Drains with a deadline that has passed, unless Drain() was called.
  virtual ~Server() = default;

  // "http://127.0.0.1:5000"
  virtual std::string Address() const = 0;
  virtual uint16_t port() const = 0;

  // From now on each response has `Connection: close`, so that clients connect to another server. Connections are taken
  // as before. Not after Drain().
  virtual void CloseAfterResponses() = 0;

  // Begins no connection any more, but serves the first request of those that have just begun; closes idle connections,
  // lets requests under way finish until `deadline` (their responses contain `Connection: close`), then cuts the others
  // off and joins the threads. Only the first call has an effect. A handler
  // that still waits for something is never resumed; its frame is destroyed with the server. Everything that could
  // resume it (executors, channels) must end between Drain() and the destructor.
  virtual void Drain(Deadline deadline) = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_SERVER_H_
