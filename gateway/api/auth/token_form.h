#ifndef ENTREPOT_GATEWAY_API_AUTH_TOKEN_FORM_H_
#define ENTREPOT_GATEWAY_API_AUTH_TOKEN_FORM_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "gateway/api/auth/authorization_header.h"
#include "gateway/api/request/query.h"

// What clients ask /token for, in the two forms they have for it: Distribution's token specification ("Requesting a
// Token", a GET) and its OAuth2 one (a POST). What is wrong with a request is kInvalidArgument; no message holds a
// credential.
namespace entrepot::gateway::api {

// application/x-www-form-urlencoded, where `+` is a blank: a form's body, and the query of a GET of /token, whose
// clients join scopes with it.
absl::StatusOr<Query> ParseForm(absl::string_view text);

// service, scope (repeated, each of any number joined by blanks), client_id, offline_token=true; the credential is
// Basic, or none. A credential in the query is refused: it would end up in logs and histories.
absl::StatusOr<auth::v1::IssueTokenRequest> ReadTokenQuery(const Query& query,
                                                           const std::optional<Authorization>& authorization);

// grant_type is password (username, password), refresh_token (refresh_token), or RFC 8693's token-exchange
// (subject_token: a workload's identity); service, client_id, scope as above, access_type=offline.
absl::StatusOr<auth::v1::IssueTokenRequest> ReadTokenForm(const Query& form);

// Whether the query holds what is a credential elsewhere.
bool HoldsCredential(const Query& query);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_TOKEN_FORM_H_
