#ifndef ENTREPOT_SERVICES_OUTBOUND_URL_H_
#define ENTREPOT_SERVICES_OUTBOUND_URL_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::outbound {

// The parts of a URL as HttpClient will use them, so that a check of a part and the request cannot disagree.
struct Url {
  std::string scheme;  // "https"
  std::string host;    // "registry.example", "192.0.2.1", "[2001:db8::1]"; in lower case
  std::string port;    // Empty if the URL has none.
  std::string path;    // At least "/".
  // Whether it has a user, a password, a query or a fragment.
  bool has_more = false;
  // Whether it has a user or a password.
  bool has_user = false;

  // Whether requests to the host stay on this machine: localhost, a name below it, 127.0.0.0/8 or [::1].
  bool IsLoopback() const;
  // "https://registry.example:443": the scheme, the host and the port, which is the scheme's if the URL has none.
  std::string Origin() const;
};

// kInvalidArgument: the text is not a URL with a scheme and a host; the message has the reason, and not the text.
absl::StatusOr<Url> ParseUrl(const std::string& text);

// Whether an answer with this status redirects to its Location.
bool IsRedirect(int status);

// The URL that `reference`, a URL or a part of one ("/v2/", "?n=5"), names in a response from `base`, without a
// fragment. kInvalidArgument as above.
absl::StatusOr<std::string> ResolveUrl(const std::string& base, const std::string& reference);

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_URL_H_
