#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_SUBJECT_SEARCH_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_SUBJECT_SEARCH_H_

#include <string>
#include <vector>

#include "services/auth/accounts/account_directory.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// The accounts that the policy file mentions and the registry does not have, and groups without members, one line each
// (policy/unknown_subjects.h). What cannot be looked up now is left out.
std::vector<std::string> UnknownSubjects(const config::v1::Policy& file, const std::vector<policy::Mention>& mentions,
                                         AccountDirectory& accounts);

// Logs a warning with the first of them, if there are any.
void LogUnknownSubjects(const policy::Policy& policy, AccountDirectory& accounts);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_SUBJECT_SEARCH_H_
