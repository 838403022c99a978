#ifndef ENTREPOT_SERVICES_TOKEN_JSON_WEB_TOKEN_H_
#define ENTREPOT_SERVICES_TOKEN_JSON_WEB_TOKEN_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "services/token/key_set.h"
#include "services/token/signing_key.h"

namespace entrepot::token {

// JSON Web Tokens in the compact serialisation of JWS (RFC 7515 section 7.1), read strictly.

// The longest token that is verified. A registry's token with 1,000 scopes has about so many bytes.
inline constexpr size_t kTokenBytesMax = 120 * 1024;

std::string SignClaims(const SigningKey& key, const boost::json::object& claims);

// Verifies that one of the keys has signed the token, and returns its claims. The caller must check the claims. Only
// `alg`, `kid` and `typ` of the header are read: an embedded key or its address (jwk, jku, x5c, x5u) is ignored, `crit`
// is refused. Tokens have at most kTokenBytesMax. kUnauthenticated (UNAUTHORIZED): the token is malformed, `alg` is not
// the key's, or the signature is wrong. kNotFound: no key has the token's kid. A token without a kid is verified with
// the only key of a set of one.
absl::StatusOr<boost::json::object> VerifyClaims(absl::string_view token, const KeySet& keys);

// The claim `iss`, unverified: for choosing the keys to verify with. kUnauthenticated: the token is malformed.
absl::StatusOr<std::string> UnverifiedIssuer(absl::string_view token);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_JSON_WEB_TOKEN_H_
