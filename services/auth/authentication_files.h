#ifndef ENTREPOT_SERVICES_AUTH_AUTHENTICATION_FILES_H_
#define ENTREPOT_SERVICES_AUTH_AUTHENTICATION_FILES_H_

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/authentication.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::auth {

// Checks the files that the configuration message Authentication names: adds the problems within the accounts file and
// the policy file, one line each. Files that cannot be read are reported by runtime::CheckAuthentication().
void CheckAuthenticationFiles(absl::string_view field, const config::v1::Authentication& authentication,
                              runtime::ConfigProblems* problems);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTHENTICATION_FILES_H_
