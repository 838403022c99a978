#ifndef ENTREPOT_GATEWAY_API_AUTH_AUTH_CHALLENGE_H_
#define ENTREPOT_GATEWAY_API_AUTH_AUTH_CHALLENGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "gateway/api/request/route_table.h"
#include "gateway/http/message.h"

// The WWW-Authenticate field, which tells a client where to get a token and for which scope (Distribution's token
// specification, "How to authenticate"; RFC 6750 section 3).
namespace entrepot::gateway::api {

// The URL that clients use for the registry: `external_url` unless it is empty, otherwise made from the request's Host
// field and from whether the client uses TLS, also as a trusted proxy reports them. Without a slash at the end.
std::string BaseUrl(absl::string_view external_url, const http::Request& request);

// The scope to request: "repository:a/b:pull,push", "registry:catalog:*"; "" if any token will do. A push includes
// pull, because clients read while they push.
std::string RequiredScope(Permission permission, absl::string_view repository);

struct BearerChallenge {
  std::string realm;
  std::string service;
  std::string scope;  // Omitted if empty.
  std::string error;  // "invalid_token" or "insufficient_scope"; omitted if empty.
  // The reason in words, which docker and podman print; omitted if empty. Double quotes become single ones, which RFC
  // 6750 demands.
  std::string error_description = "";
};

// The value is always one challenge of printable ASCII, whatever the parts contain.
std::string ToHeaderValue(const BearerChallenge& challenge);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_AUTH_CHALLENGE_H_
