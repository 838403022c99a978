#include "gateway/http/server/connection_refusal.h"

#include <sys/socket.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entrepot::gateway::http {
namespace {

constexpr absl::string_view kBody =
    R"({"errors":[{"code":"UNAVAILABLE","message":"this address has too many connections for a server that is )"
    R"(nearly full; the limit is limits.connections_per_address_max"}]})"
    "\n";

}  // namespace

void SendTooManyConnections(int fd) {
  static const auto& response = *new std::string(
      absl::StrCat("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n",
                   "Content-Length: ", kBody.size(), "\r\nRetry-After: 1\r\nConnection: close\r\n\r\n", kBody));
  // What has arrived is read first: closing a socket with unread bytes resets the connection.
  char dropped[16384];
  (void)::recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT);
  ::send(fd, response.data(), response.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
}

}  // namespace entrepot::gateway::http
