#ifndef ENTREPOT_SERVICES_CTL_CLIENT_HTTP_CLIENT_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_HTTP_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::ctl {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  // Basic authentication, if `username` is not empty.
  std::string username = {};
  std::string password = {};
  // Bearer authentication, if it is not empty.
  std::string token = {};
  // JSON, if it is not empty.
  std::string body = {};
  // A PEM file with the authorities to trust; empty: the system's.
  std::string ca_file = {};
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Sends requests. Not thread-safe.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // The answer, whatever its status. kUnavailable if there was none; the message contains the reason.
  // kInvalidArgument: the URL is not http or https.
  virtual absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) = 0;
};

// HTTP and HTTPS (services/outbound). Follows no redirect, which could take credentials elsewhere.
class OutboundHttpClient : public HttpClient {
 public:
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request) override;
};

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_HTTP_CLIENT_H_
