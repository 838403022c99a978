#ifndef ENTREPOT_SERVICES_TOKEN_VERIFICATION_KEY_H_
#define ENTREPOT_SERVICES_TOKEN_VERIFICATION_KEY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "services/token/signature_algorithm.h"

namespace entrepot::token {

// A public key. Immutable and thread-safe; cheap to copy.
class VerificationKey {
 public:
  // A JSON Web Key: EC P-256, OKP Ed25519, or RSA of at least 2048 bits. kInvalidArgument otherwise.
  static absl::StatusOr<VerificationKey> FromJwk(const boost::json::object& jwk);
  boost::json::object ToJwk() const;

  const std::string& kid() const;
  SignatureAlgorithm algorithm() const;
  bool Verify(absl::string_view bytes, absl::string_view signature) const;
};

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_VERIFICATION_KEY_H_
