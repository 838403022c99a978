#ifndef ENTREPOT_SERVICES_TOKEN_VERIFICATION_KEY_H_
#define ENTREPOT_SERVICES_TOKEN_VERIFICATION_KEY_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "services/token/signature_algorithm.h"

namespace entrepot::token {

// A public key that verifies JSON Web Tokens. Immutable and thread-safe; cheap to copy.
class VerificationKey {
 public:
  // Reads a JSON Web Key: EC P-256, OKP Ed25519, or RSA of at least 2048 bits. If it has no `kid`, its thumbprint (RFC
  // 7638) is its id. kUnimplemented: the key is of another type or for another use. kInvalidArgument: it is malformed,
  // weak or private.
  static absl::StatusOr<VerificationKey> FromJwk(const boost::json::object& jwk);
  boost::json::object ToJwk() const;

  const std::string& kid() const;
  SignatureAlgorithm algorithm() const;
  // The signature is in the format of RFC 7518 section 3 and RFC 8037: raw R || S for ES256.
  bool Verify(absl::string_view bytes, absl::string_view signature) const;

 private:
  struct State;
  explicit VerificationKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_VERIFICATION_KEY_H_
