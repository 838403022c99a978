#ifndef ENTREPOT_SERVICES_AUTH_ADMIN_EXPLANATION_H_
#define ENTREPOT_SERVICES_AUTH_ADMIN_EXPLANATION_H_

#include "absl/status/statusor.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/auth/accounts/account_directory.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// Why an account may do something, or may not: which rule or scope decides, and which rules on tags bind it besides.
// kInvalidArgument: what was asked makes no sense.
absl::StatusOr<v1::Explanation> ExplainAccess(const v1::Explain& question, const policy::Policy& policy,
                                              const AccountDirectory& accounts);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_EXPLANATION_H_
