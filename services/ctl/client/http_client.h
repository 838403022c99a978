#ifndef ENTREPOT_SERVICES_CTL_CLIENT_HTTP_CLIENT_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_HTTP_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/outbound/http_hop.h"

namespace entrepot::ctl {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  // Basic authentication, if `username` is not empty.
  std::string username = {};
  std::string password = {};
  // Bearer authentication, if it is not empty.
  std::string token = {};
  std::string body = {};
  // A PEM file with the authorities to trust; empty: the system's.
  std::string ca_file = {};
  // Of the body.
  std::string content_type = "application/json";
  // Further names and values.
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Receives the body of an answer with the status `on_bytes_status`, which may be of any length and take any time. If
  // it is empty, and for other answers, the body is in the answer. An error ends the exchange, and Send() returns it.
  std::function<absl::Status(absl::string_view bytes)> on_bytes = {};
  int on_bytes_status = 200;
};

struct HttpAnswer {
  int status = 0;
  std::string body = {};
  // Names in lower case, and values.
  std::vector<std::pair<std::string, std::string>> fields = {};

  // The first value of the field; empty if it is absent. `name` in lower case.
  absl::string_view Field(absl::string_view name) const;
};

// Sends requests. Not thread-safe.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // The answer, whatever its status. kUnavailable if there was none; the message contains the reason.
  // kInvalidArgument: the URL is not http or https.
  virtual absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) = 0;
};

// HTTP/1.1 and HTTPS (services/outbound); keeps its connections. Follows no redirect, which could take credentials
// elsewhere. An answer must arrive within 2 minutes, unless it has a receiver for its bytes; and at no time may less
// than 1 KiB a second arrive for 2 minutes.
class OutboundHttpClient : public HttpClient {
 public:
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) override;

 private:
  std::unique_ptr<outbound::HttpHop> hop_;
  // With which hop_ was made.
  std::string ca_file_;
};

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_HTTP_CLIENT_H_
