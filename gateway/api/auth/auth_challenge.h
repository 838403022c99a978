#ifndef ENTREPOT_GATEWAY_API_AUTH_AUTH_CHALLENGE_H_
#define ENTREPOT_GATEWAY_API_AUTH_AUTH_CHALLENGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "gateway/api/request/route_table.h"
#include "gateway/http/message.h"

// The WWW-Authenticate field that tells a client where it gets a token, and for what (Distribution's token
// specification, "How to authenticate"; RFC 6750 section 3).
namespace entrepot::gateway::api {

// What clients call the registry: `external_url` where there is one, else from the request's Host field and whether it
// came over TLS. Without a slash at its end.
std::string BaseUrl(absl::string_view external_url, const http::Request& request);

// The scope to ask for: "repository:a/b:pull,push", "registry:catalog:*"; "" where any token will do. Whoever pushes
// reads too.
std::string NeededScope(Need need, absl::string_view repository);

struct BearerChallenge {
  std::string realm;
  std::string service;
  std::string scope;  // Empty: left out.
  std::string error;  // "invalid_token", "insufficient_scope"; empty: left out.
};

// Whatever the parts hold, the value stays one challenge of printable ASCII.
std::string ToHeaderValue(const BearerChallenge& challenge);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_AUTH_CHALLENGE_H_
