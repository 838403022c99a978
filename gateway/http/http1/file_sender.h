#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_FILE_SENDER_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_FILE_SENDER_H_

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/http/client_socket.h"
#include "gateway/http/message.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::gateway::http {

// Sends the file's bytes, with sendfile if the connection has no TLS, otherwise by reading pieces. Bytes that are not
// in the page cache are read on `executor`, so that a slow disk delays this client only, not its io_context. The pieces
// are small while the request's memory budget has no room for large ones. kDataLoss: the file is too short or cannot be
// read. Otherwise the socket's errors.
boost::asio::awaitable<absl::Status> SendFile(const Request& request, const FileBody& body, ClientSocket& socket,
                                              runtime::Executor& executor);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_FILE_SENDER_H_
