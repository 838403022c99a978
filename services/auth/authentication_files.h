#ifndef ENTREPOT_SERVICES_AUTH_AUTHENTICATION_FILES_H_
#define ENTREPOT_SERVICES_AUTH_AUTHENTICATION_FILES_H_

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/authentication.pb.h"
#include "services/runtime/config/config_checks.h"

namespace entrepot::auth {

// Adds what is wrong within the accounts file and the policy file, a line a problem. Files that cannot be read are
// runtime::CheckAuthentication()'s.
void CheckAuthenticationFiles(absl::string_view field, const config::v1::Authentication& authentication,
                              runtime::ConfigProblems* problems);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTHENTICATION_FILES_H_
