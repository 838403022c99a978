#ifndef ENTREPOT_GATEWAY_HTTP_FILE_SENDER_H_
#define ENTREPOT_GATEWAY_HTTP_FILE_SENDER_H_

#include "absl/status/status.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/http/client_socket.h"
#include "gateway/http/message.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::gateway::http {

// Sends the file's bytes: with sendfile on a plain connection, else read in pieces. What the page cache does not hold
// is read on `executor`, so that a slow disk holds up this one client and not its io_context. kDataLoss where the file
// ends too early or cannot be read; else the socket's errors.
boost::asio::awaitable<absl::Status> SendFile(const FileBody& body, ClientSocket& socket, runtime::Executor& executor);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_FILE_SENDER_H_
