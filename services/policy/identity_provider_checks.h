#ifndef ENTREPOT_SERVICES_POLICY_IDENTITY_PROVIDER_CHECKS_H_
#define ENTREPOT_SERVICES_POLICY_IDENTITY_PROVIDER_CHECKS_H_

#include "entrepot/config/v1/policy.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::policy {

// Checks the identity providers of a policy file: each must name its issuer, its audience, its keys, and what its
// tokens may do.
void CheckIdentityProviders(const config::v1::Policy& file, runtime::ConfigProblems* problems);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_IDENTITY_PROVIDER_CHECKS_H_
