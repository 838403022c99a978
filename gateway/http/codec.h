#ifndef ENTREPOT_GATEWAY_HTTP_CODEC_H_
#define ENTREPOT_GATEWAY_HTTP_CODEC_H_

#include "boost/asio/awaitable.hpp"

namespace entrepot::gateway::http {

// One version of HTTP on one accepted connection: reads requests from the socket, has them handled (exchange.h) and
// writes the responses. Shows in the connection's slot (connection_slots.h) whether a request is under way. Runs on its
// worker's thread.
//
// http1/ holds the codec of HTTP/1. A codec of another version is a folder beside it; ChooseCodec() in
// server/connection.cc makes the choice. Listening, TLS, limits on connections, draining and metrics are the same for
// all codecs. Two things must change for another version:
// - kAlpn in services/runtime/tls/certificate_reloader.cc, the protocols that the server accepts in TLS's handshake.
// - ClientSocket, which supports one waiting coroutine and does not tell which protocol ALPN selected. A codec that
//   reads and writes at the same time needs a wait and a bound for each direction.
class Codec {
 public:
  // How the connection is closed after the last response.
  enum class Ending {
    kCut,          // At once: the connection or the response is broken.
    kClose,        // All that the client sent was used.
    kShortLinger,  // The client sent more than was used. It must see the last response.
    kLinger,       // The client may still be sending a body. It must see the last response.
  };

  virtual ~Codec() = default;

  // Serves requests until the connection has to be closed.
  virtual boost::asio::awaitable<Ending> Serve() = 0;

  // The server is draining: Serve() ends soon if no request is under way, otherwise after that request.
  virtual void Drain() = 0;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_CODEC_H_
