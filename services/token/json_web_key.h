#ifndef ENTREPOT_SERVICES_TOKEN_JSON_WEB_KEY_H_
#define ENTREPOT_SERVICES_TOKEN_JSON_WEB_KEY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "services/token/openssl_handles.h"
#include "services/token/signature_algorithm.h"

// Between OpenSSL's keys and JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037).
namespace entrepot::token {

struct PublicKey {
  KeyHandle handle;
  SignatureAlgorithm algorithm;
};

// What tokens are signed with by a key of that type and size. kInvalidArgument: by nothing that is supported, or it is
// weak.
absl::StatusOr<SignatureAlgorithm> AlgorithmOf(const EVP_PKEY& key);

// The members that RFC 7638 calls required: kty and the public key.
boost::json::object RequiredMembers(const EVP_PKEY& key, SignatureAlgorithm algorithm);
// RFC 7638 with SHA-256, as base64url.
std::string Thumbprint(const boost::json::object& required_members);

// kUnimplemented: a key of another type or for another use. kInvalidArgument: malformed, weak or private.
absl::StatusOr<PublicKey> ReadPublicKey(const boost::json::object& jwk);

// The member of that name if it is a string; kInvalidArgument otherwise.
absl::StatusOr<absl::string_view> StringMember(const boost::json::object& jwk, absl::string_view name);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_JSON_WEB_KEY_H_
