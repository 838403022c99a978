#ifndef ENTREPOT_GATEWAY_API_AUTH_TOKEN_HANDLER_H_
#define ENTREPOT_GATEWAY_API_AUTH_TOKEN_HANDLER_H_

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "gateway/api/auth/token_form.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/api/upstream/cached_repositories.h"
#include "gateway/backends/auth_backend.h"

namespace entrepot::gateway::api {

// /token: issues a bearer token for a credential, or for an anonymous caller (Distribution's token specification, GET
// and the OAuth2 form's POST; token_form.h has the parameters). The token grants the part of the requested scopes that
// the account is allowed; a small part, or none, is not an error.
//
// Errors have the registry's form; those of POST also contain RFC 6749's `error`. 401: a wrong credential, for any
// reason; 400: an invalid request; 429: too many wrong credentials. Thread-safe.
class TokenHandler {
 public:
  // Both pointers must outlive the handler. `cached` is null without upstreams; with it, a scope for pulling from a
  // repository is also one for the cached repository that a request of that name may be for.
  TokenHandler(AuthBackend* auth, const TokenRequestLimits& limits, const CachedRepositories* cached)
      : auth_(auth), limits_(limits), cached_(cached) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  boost::asio::awaitable<absl::StatusOr<auth::v1::IssueTokenResponse>> Issue(http::Request& request,
                                                                             const CallContext& call) const;

  AuthBackend* const auth_;
  const TokenRequestLimits limits_;
  const CachedRepositories* const cached_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_TOKEN_HANDLER_H_
