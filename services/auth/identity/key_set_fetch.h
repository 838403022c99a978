#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FETCH_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FETCH_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::auth {

// GET of a key set, up to 256 KiB within 5 seconds. No redirect is followed: the keys come from where the operator said
// or not at all. `ca_file`: PEM of those who vouch for the server; empty: whom the system trusts. kInvalidArgument: an
// address that policy/key_set_url.h refuses. kUnavailable: no such answer; the message says why.
absl::StatusOr<std::string> FetchKeySet(const std::string& url, const std::string& ca_file);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FETCH_H_
