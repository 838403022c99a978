#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_PERMISSIONS_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_PERMISSIONS_H_

#include <string>
#include <vector>

#include "services/auth/records/account.h"
#include "services/core/access_scope.h"
#include "services/core/repository_name.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// What the policy and the account's own grants together allow it. The reason is for people: the policy's, or
// `scope 2 of robot+deploy allows it`, or that neither allows it.
policy::Decision Decide(const policy::Policy& policy, const Account& account, policy::Action action,
                        const RepositoryName& repository);

// Of what was asked for, what the account may have. A repository's scope of which nothing is left stays, without
// actions, so that a token says that it was asked for; any other such scope is left out. "*" on a repository
// is granted where all actions are, else stands for those that are allowed. kCatalogScope is granted to whoever can
// pull anything, kAdministrationScope to administrators.
std::vector<AccessScope> GrantScopes(const policy::Policy& policy, const Account& account,
                                     const std::vector<AccessScope>& requested);

// Patterns of all repositories that the account may pull from, each once.
std::vector<std::string> ReadableRepositories(const policy::Policy& policy, const Account& account);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_PERMISSIONS_H_
