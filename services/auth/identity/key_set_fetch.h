#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FETCH_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FETCH_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::auth {

// Fetches the text of a key set by GET: at most 256 KiB, within 5 seconds. Does not follow redirects, so that the keys
// come only from the address that the operator configured. `ca_file` is PEM with the authorities that may sign the
// server's certificate; if it is empty, the system's are trusted. kInvalidArgument: policy/key_set_url.h refuses the
// address. kUnavailable: there was no such response; the message gives the reason.
absl::StatusOr<std::string> FetchKeySet(const std::string& url, const std::string& ca_file);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_FETCH_H_
