#ifndef ENTREPOT_GATEWAY_HTTP_HANDLER_H_
#define ENTREPOT_GATEWAY_HTTP_HANDLER_H_

#include "boost/asio/awaitable.hpp"
#include "gateway/http/message.h"

namespace entrepot::gateway::http {

// What answers requests. One object serves all connections on all threads: implementations are thread-safe.
class Handler {
 public:
  virtual ~Handler() = default;

  // Runs on the connection's io_context and must not block it. `request` lives until the response has been sent. A body
  // that was not read is discarded or the connection closed, as is cheaper.
  virtual boost::asio::awaitable<Response> Handle(Request& request) = 0;

  // The answer to a request that never became a Request: 400, 408, 414, 431, 501, 505 (`status`), with `message` saying
  // what was wrong. The server closes the connection after it.
  virtual Response Refuse(int status, absl::string_view message) = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HANDLER_H_
