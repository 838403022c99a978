#ifndef ENTREPOT_SERVICES_OUTBOUND_HTTP_CLIENT_H_
#define ENTREPOT_SERVICES_OUTBOUND_HTTP_CLIENT_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Requests that the registry's programs send to other servers over HTTP.
namespace entrepot::outbound {

struct HttpRequest {
  std::string method = "GET";
  // http:// or https://.
  std::string url;
  // Names and values. A request with a body should have a Content-Type.
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Sent if it is not empty.
  std::string body = {};
  // Basic authentication, if `username` is not empty.
  std::string username = {};
  std::string password = {};
};

struct HttpResponse {
  int status = 0;
  std::string body;
};

struct HttpClientOptions {
  std::string user_agent = "entrepot";
  // PEM with the only authorities that may sign a server's certificate. Empty: those that the system trusts.
  std::string ca_file = {};
  absl::Duration connect_timeout = absl::Seconds(10);
  // For a whole request, connecting and redirects included.
  absl::Duration timeout = absl::Seconds(30);
  // Bounds of one response.
  size_t body_bytes_max = 1024 * 1024;
  size_t header_bytes_max = 64 * 1024;
  // Whether a proxy that the environment names (http_proxy, https_proxy) is used.
  bool use_proxy = true;
  // How many redirects of a GET or HEAD are followed. Beyond that, and for other methods, the redirect is the response.
  // A redirect may lead from https to http unless check_url refuses it. An Authorization header and Basic credentials
  // are sent to the origin of the request's URL only.
  int redirects_max = 0;
  // Decides on each URL before it is requested, those of redirects included. May be empty.
  std::function<absl::Status(absl::string_view url)> check_url = {};
  // Decides on each IP address ("192.0.2.1", "2001:db8::1") before it is connected to, after the host's name has been
  // resolved. If a proxy is used, it is the proxy's address. May be empty.
  std::function<absl::Status(absl::string_view ip_address)> check_address = {};
};

// A client over libcurl: HTTP/1.1 and 2, TLS 1.2 and later. An interface, so that tests of its users need no server.
// Thread-safe; calls block.
class HttpClient {
 public:
  static std::unique_ptr<HttpClient> Create(HttpClientOptions options);
  virtual ~HttpClient() = default;

  // Returns the response, whatever its status. An error of check_url is returned as it is; an error of check_address is
  // returned if no other address of the host answers. kInvalidArgument: the URL is not http or https, or a header
  // contains a control character. kUnavailable: there was no complete response within the bounds; the message names the
  // URL without its query, and the reason.
  virtual absl::StatusOr<HttpResponse> Send(const HttpRequest& request) = 0;
};

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_HTTP_CLIENT_H_
