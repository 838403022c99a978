#ifndef ENTREPOT_SERVICES_AUTH_DENIED_SCOPES_H_
#define ENTREPOT_SERVICES_AUTH_DENIED_SCOPES_H_

#include <vector>

#include "services/auth/records/account.h"
#include "services/core/access_scope.h"
#include "services/policy/policy.h"
#include "services/token/registry_token.h"

namespace entrepot::auth {

// The part of the requested scopes that the account does not have, with reasons, so that the gateway can answer with
// them. `granted` is what GrantScopes() (accounts/permissions.h) returned for the same arguments. Empty for an
// anonymous client. Contains the first scopes with no more than 2 KiB of names and reasons, because clients send the
// token with each request. A reason depends on the policy and the name only, never on whether the repository exists.
std::vector<token::DeniedScope> DeniedScopes(const policy::Policy& policy, const Account& account,
                                             const std::vector<AccessScope>& requested,
                                             const std::vector<AccessScope>& granted);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_DENIED_SCOPES_H_
