#ifndef ENTREPOT_GATEWAY_HTTP_HANDLER_H_
#define ENTREPOT_GATEWAY_HTTP_HANDLER_H_

#include "boost/asio/awaitable.hpp"
#include "gateway/http/message.h"

namespace entrepot::gateway::http {

// Answers requests. One object serves all connections on all threads, so implementations must be thread-safe.
class Handler {
 public:
  virtual ~Handler() = default;

  // Runs on the connection's io_context and must not block it. `request` lives until the response has been sent. If the
  // body was not read, the server discards it or closes the connection, whichever is cheaper.
  virtual boost::asio::awaitable<Response> Handle(Request& request) = 0;

  // The response to a request whose header is refused before Handle(): `status` is 400, 405, 408, 414, 417, 431, 501 or
  // 505, `message` the reason. Also the response (500) if Handle() throws. The server closes the connection after it.
  virtual Response Refuse(int status, absl::string_view message) = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HANDLER_H_
