#ifndef ENTREPOT_GATEWAY_API_AUTH_TOKEN_FORM_H_
#define ENTREPOT_GATEWAY_API_AUTH_TOKEN_FORM_H_

#include <cstddef>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "gateway/api/auth/authorization_header.h"
#include "gateway/api/request/query.h"

// Parses requests for /token in their two forms: Distribution's token specification ("Requesting a Token", a GET) and
// its OAuth2 specification (a POST). kInvalidArgument: an invalid request. No message contains a credential.
namespace entrepot::gateway::api {

// Limits that the configuration sets (config/v1/shared.proto, Limits).
struct TokenRequestLimits {
  size_t credential_bytes_max = 32 * 1024;
  size_t scopes_max = 1000;
};

// Parses application/x-www-form-urlencoded, in which `+` is a blank: the body of a form, and the query of GET /token,
// whose clients join scopes with `+`.
absl::StatusOr<Query> ParseForm(absl::string_view text);

// Parameters: service, scope (repeatable, each with one or more scopes separated by blanks), client_id,
// offline_token=true. The credential is Basic, or absent. Basic credentials without an account and a password are
// absent too: some clients send them if they have none. A credential in the query is refused, because it would appear
// in logs and histories.
absl::StatusOr<auth::v1::IssueTokenRequest> ReadTokenQuery(const Query& query,
                                                           const std::optional<Authorization>& authorization,
                                                           const TokenRequestLimits& limits = {});

// grant_type is password (username, password), refresh_token (refresh_token), or RFC 8693's token-exchange
// (subject_token: a workload's identity). An empty username with an empty password is not a credential. Also service,
// client_id and scope as above, and access_type=offline.
absl::StatusOr<auth::v1::IssueTokenRequest> ReadTokenForm(const Query& form, const TokenRequestLimits& limits = {});

// Whether the query contains a parameter that carries a credential in other requests.
bool HoldsCredential(const Query& query);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_TOKEN_FORM_H_
