#ifndef ENTREPOT_SERVICES_AUTH_ADMIN_EXPLANATION_H_
#define ENTREPOT_SERVICES_AUTH_ADMIN_EXPLANATION_H_

#include "absl/status/statusor.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/auth/accounts/account_directory.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// Explains why an account may or may not do something: which rule or scope decides, and which rules on tags apply in
// addition. kInvalidArgument: the question is invalid.
absl::StatusOr<v1::Explanation> ExplainAccess(const v1::Explain& question, const policy::Policy& policy,
                                              const AccountDirectory& accounts);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_EXPLANATION_H_
