#ifndef ENTREPOT_TESTS_HTTP_CLIENT_HTTP_CONNECTION_H_
#define ENTREPOT_TESTS_HTTP_CLIENT_HTTP_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::tests {

struct HttpResponse {
  int status = 0;
  // Status line and fields, as received.
  std::string head;
  // Empty if it was discarded.
  std::string body;
  uint64_t body_bytes = 0;
  // When the first byte of the body was here; when the head was here, if there is no body.
  absl::Time body_began;

  // The first field of the name (case-insensitive); "" without one.
  absl::string_view Field(absl::string_view name) const;
};

// A blocking HTTP/1.1 connection for load and hostile tests. Sends any bytes, and reads responses with a Content-Length
// or without a body (to HEAD, 204 and 304). Every wait is bounded by `timeout_seconds`. Not thread-safe.
class HttpConnection {
 public:
  static absl::StatusOr<HttpConnection> Open(const std::string& host, int port, int timeout_seconds = 60);

  absl::Status Send(absl::string_view bytes);
  // Ends this side of the connection, so that an incomplete request ends there.
  void HalfClose();
  // `method` is that of the request, because a response to HEAD has no body. Skips responses with 1xx.
  absl::StatusOr<HttpResponse> Receive(absl::string_view method, bool keep_body = true);
  // Sends a request with its Content-Length and receives the response. `fields` are whole lines, each with its CRLF.
  absl::StatusOr<HttpResponse> Call(absl::string_view method, absl::string_view target, absl::string_view fields = "",
                                    absl::string_view body = "", bool keep_body = true);

 private:
  HttpConnection(OwnedFd socket, std::string host) : socket_(std::move(socket)), host_(std::move(host)) {}
  absl::Status Fill();

  OwnedFd socket_;
  std::string host_;
  std::string received_;
};

}  // namespace entrepot::tests

#endif  // ENTREPOT_TESTS_HTTP_CLIENT_HTTP_CONNECTION_H_
