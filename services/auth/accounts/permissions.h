#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_PERMISSIONS_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_PERMISSIONS_H_

#include <string>
#include <vector>

#include "services/auth/records/account.h"
#include "services/core/access_scope.h"
#include "services/core/repository_name.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// Decides by the policy and the account's own grants together. The reason is for messages: that of the policy, or
// `scope 2 of robot+deploy allows it`, or what both allow instead. It is the same for every action that is denied.
policy::Decision Decide(const policy::Policy& policy, const Account& account, policy::Action action,
                        const RepositoryName& repository);

// The part of the requested scopes that the account may have. If no action on a repository is allowed, its scope stays,
// without actions, so that the token shows that it was requested; other scopes are left out. "*" on a repository is
// granted if all actions are allowed, and is otherwise replaced by those that are. kCatalogScope is granted to accounts
// that can pull from any repository, kAdministrationScope to administrators.
std::vector<AccessScope> GrantScopes(const policy::Policy& policy, const Account& account,
                                     const std::vector<AccessScope>& requested);

// The patterns of all repositories that the account may pull from, each once.
std::vector<std::string> ReadableRepositories(const policy::Policy& policy, const Account& account);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_PERMISSIONS_H_
