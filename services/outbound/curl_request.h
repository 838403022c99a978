#ifndef ENTREPOT_SERVICES_OUTBOUND_CURL_REQUEST_H_
#define ENTREPOT_SERVICES_OUTBOUND_CURL_REQUEST_H_

#include <curl/curl.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// What the requests of HttpClient, of HttpHop and of CurlTransport have in common at libcurl.
namespace entrepot::outbound {

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;
using CurlUrl = std::unique_ptr<CURLU, CurlDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

// Must be called before other functions of libcurl. Thread-safe.
void InitialiseCurl();

// At least one millisecond, because 0 is libcurl's default.
long CurlMilliseconds(absl::Duration duration);

// The URL without its query, which may have a secret.
std::string UrlForMessage(const std::string& url);

using Headers = std::vector<std::pair<std::string, std::string>>;

// Whether there is a header of that name.
bool IsNamed(const Headers& headers, absl::string_view name);

// The header lines of a request, for CURLOPT_HTTPHEADER.
class HeaderLines {
 public:
  // kInvalidArgument: a name or a value has a character that would end the line or the name.
  absl::Status Add(absl::string_view name, absl::string_view value);
  // Keeps libcurl from adding this field itself.
  absl::Status Omit(absl::string_view name);
  // Keeps libcurl from adding the fields of a body that `headers` does not name.
  absl::Status OmitUnnamedOfBody(const Headers& headers);
  // Is valid until the next call.
  curl_slist* get() const { return lines_.get(); }

 private:
  absl::Status AddLine(const std::string& line);

  CurlList lines_;
};

// Decides on each address that a transfer connects to.
struct AddressCheck {
  // May be empty.
  const std::function<absl::Status(absl::string_view ip_address)>& check;
  // The error of the last address that was refused.
  absl::Status refused = absl::OkStatus();

  // Records a refusal.
  bool Allows(absl::string_view ip_address);
  // CURLOPT_OPENSOCKETFUNCTION; `to` is an AddressCheck*.
  static curl_socket_t OpenSocket(void* to, curlsocktype purpose, curl_sockaddr* address);
};

// Sets what all requests have: only http and https, no redirects, TLS 1.2 and later, no signals.
void SetCommonOptions(const std::string& user_agent, absl::Duration connect_timeout, CURL* curl);
void SetMethod(const std::string& method, CURL* curl);
// `body` must live as long as the transfer.
void SetBody(const std::string& body, CURL* curl);

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_CURL_REQUEST_H_
