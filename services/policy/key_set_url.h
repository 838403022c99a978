#ifndef ENTREPOT_SERVICES_POLICY_KEY_SET_URL_H_
#define ENTREPOT_SERVICES_POLICY_KEY_SET_URL_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot::policy {

// Where an identity provider's keys may be fetched: https://…, or http:// on a loopback address, where nobody else can
// answer. kInvalidArgument: what is wrong with it.
absl::Status CheckKeySetUrl(absl::string_view url);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_KEY_SET_URL_H_
