#ifndef ENTREPOT_GATEWAY_API_AUTH_TOKEN_HANDLER_H_
#define ENTREPOT_GATEWAY_API_AUTH_TOKEN_HANDLER_H_

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "gateway/api/request/registry_request.h"
#include "gateway/backends/auth_backend.h"

namespace entrepot::gateway::api {

// /token: a bearer token for a credential, or for none (Distribution's token specification, GET and the OAuth2 form's
// POST; token_form.h says what is taken). What is granted is what the credential's owner may do of what was asked for,
// never an error where that is little.
//
// Errors have the registry's form; a POST's also say RFC 6749's `error`. 401: a wrong credential, whatever is wrong
// with it; 400: not such a request; 429: too many wrong ones. Thread-safe.
class TokenHandler {
 public:
  // `auth` must outlive the handler.
  explicit TokenHandler(AuthBackend* auth) : auth_(auth) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  boost::asio::awaitable<absl::StatusOr<auth::v1::IssueTokenResponse>> Issue(http::Request& request,
                                                                             const CallContext& call) const;

  AuthBackend* const auth_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_TOKEN_HANDLER_H_
