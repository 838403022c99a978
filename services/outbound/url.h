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

  // Whether requests to the host stay on this machine: localhost, a name below it, 127.0.0.0/8 or [::1].
  bool IsLoopback() const;
};

// kInvalidArgument: the text is not a URL with a scheme and a host; the message has the reason, and not the text.
absl::StatusOr<Url> ParseUrl(const std::string& text);

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_URL_H_
