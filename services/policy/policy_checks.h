#ifndef ENTREPOT_SERVICES_POLICY_POLICY_CHECKS_H_
#define ENTREPOT_SERVICES_POLICY_POLICY_CHECKS_H_

#include "entrepot/config/v1/policy.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::policy {

// Adds everything that makes no sense in a policy file, each with the field: what is named but not known or not
// allowed there, what could never apply, what is missing, and what is there twice.
void CheckPolicy(const config::v1::Policy& file, runtime::ConfigProblems* problems);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_POLICY_CHECKS_H_
