#ifndef ENTREPOT_SERVICES_CTL_HTTP_CLIENT_H_
#define ENTREPOT_SERVICES_CTL_HTTP_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::ctl {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  // Basic, where it is not empty.
  std::string username;
  std::string password;
  // Bearer, where it is not empty.
  std::string token;
  // JSON, where it is not empty.
  std::string body;
};

struct HttpAnswer {
  long status = 0;
  std::string body;
};

// HTTP and HTTPS by libcurl. No redirect is followed: credentials go where they were meant to go. One thread.
class HttpClient {
 public:
  // `ca_file`: PEM; empty: whom the system trusts.
  explicit HttpClient(std::string ca_file);

  // Any answer, whatever its status. kUnavailable: there was none; the message says why.
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request);

 private:
  const std::string ca_file_;
};

// "a%20b": everything but letters, digits and -._~ is encoded, and / where it is not kept.
std::string PercentEncoded(const std::string& text, bool keep_slashes);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_HTTP_CLIENT_H_
