#ifndef ENTREPOT_SERVICES_POLICY_IDENTITY_PROVIDER_CHECKS_H_
#define ENTREPOT_SERVICES_POLICY_IDENTITY_PROVIDER_CHECKS_H_

#include "entrepot/config/v1/policy.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::policy {

// Of a policy file's identity providers: each must say whose tokens it takes, made for whom, verified how, and what
// they may do.
void CheckIdentityProviders(const config::v1::Policy& file, runtime::ConfigProblems* problems);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_IDENTITY_PROVIDER_CHECKS_H_
