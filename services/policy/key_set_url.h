#ifndef ENTREPOT_SERVICES_POLICY_KEY_SET_URL_H_
#define ENTREPOT_SERVICES_POLICY_KEY_SET_URL_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot::policy {

// Checks the URL of an identity provider's keys. It must begin with https://, or with http:// and a loopback address,
// which no other machine can serve. kInvalidArgument: it does not; the message describes the problem.
absl::Status CheckKeySetUrl(absl::string_view url);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_KEY_SET_URL_H_
