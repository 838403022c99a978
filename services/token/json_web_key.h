#ifndef ENTREPOT_SERVICES_TOKEN_JSON_WEB_KEY_H_
#define ENTREPOT_SERVICES_TOKEN_JSON_WEB_KEY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "services/token/openssl_handles.h"
#include "services/token/signature_algorithm.h"

// Converts between OpenSSL's keys and JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037).
namespace entrepot::token {

struct PublicKey {
  KeyHandle handle;
  SignatureAlgorithm algorithm;
};

// The algorithm by which a key of this type and size signs tokens. kInvalidArgument: the key is of an unsupported type,
// or weak.
absl::StatusOr<SignatureAlgorithm> AlgorithmOf(const EVP_PKEY& key);

// The members that RFC 7638 requires: kty and the public key.
boost::json::object RequiredMembers(const EVP_PKEY& key, SignatureAlgorithm algorithm);
// The thumbprint of RFC 7638 with SHA-256, as base64url.
std::string Thumbprint(const boost::json::object& required_members);

// kUnimplemented: the key is of another type or for another use. kInvalidArgument: it is malformed, weak or private.
absl::StatusOr<PublicKey> ReadPublicKey(const boost::json::object& jwk);

// The member of this name. kInvalidArgument: it is missing or not a string.
absl::StatusOr<absl::string_view> StringMember(const boost::json::object& jwk, absl::string_view name);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_JSON_WEB_KEY_H_
