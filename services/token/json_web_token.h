#ifndef ENTREPOT_SERVICES_TOKEN_JSON_WEB_TOKEN_H_
#define ENTREPOT_SERVICES_TOKEN_JSON_WEB_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "services/token/key_set.h"
#include "services/token/signing_key.h"

namespace entrepot::token {

// JWS compact serialisation (RFC 7515 section 7.1) of JSON claims, as strictly as anything is read here.

std::string SignClaims(const SigningKey& key, const boost::json::object& claims);

// The claims of a token that one of the keys has signed; what they say is for the caller to judge. Only `alg`, `kid`
// and `typ` of the header are looked at: an embedded key or its address (jwk, jku, x5c, x5u) is ignored, `crit` is
// refused. At most 16 KiB. kUnauthenticated (UNAUTHORIZED): malformed, `alg` not the key's, or the signature wrong.
// kNotFound: no key has its kid (a token without one is taken for the only key of a set of one).
absl::StatusOr<boost::json::object> VerifyClaims(absl::string_view token, const KeySet& keys);

// The claim `iss`, unverified: to find out whose keys to verify with. kUnauthenticated: malformed.
absl::StatusOr<std::string> UnverifiedIssuer(absl::string_view token);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_JSON_WEB_TOKEN_H_
