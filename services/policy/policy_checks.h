#ifndef ENTREPOT_SERVICES_POLICY_POLICY_CHECKS_H_
#define ENTREPOT_SERVICES_POLICY_POLICY_CHECKS_H_

#include "entrepot/config/v1/policy.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::policy {

// Adds all problems of a policy file, each with its field: names that are unknown or not allowed in their place, rules
// that could never apply, missing fields, and duplicates.
void CheckPolicy(const config::v1::Policy& file, runtime::ConfigProblems* problems);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_POLICY_CHECKS_H_
