#ifndef ENTREPOT_SERVICES_TOKEN_SIGNING_KEY_H_
#define ENTREPOT_SERVICES_TOKEN_SIGNING_KEY_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/token/signature_algorithm.h"
#include "services/token/verification_key.h"

namespace entrepot::token {

// A private key that signs JSON Web Tokens. Immutable and thread-safe; cheap to copy.
class SigningKey {
 public:
  // Creates a key from the system's randomness. Its id is its thumbprint (RFC 7638). RSA keys have 3072 bits.
  static SigningKey Generate(SignatureAlgorithm algorithm);
  // Reads unencrypted PKCS #8. kInvalidArgument: it is not a private key of a supported algorithm.
  static absl::StatusOr<SigningKey> FromPem(absl::string_view pem);

  std::string ToPem() const;
  const std::string& kid() const;
  SignatureAlgorithm algorithm() const;
  VerificationKey verification_key() const;
  // A signature in the format of RFC 7518 section 3 and RFC 8037: raw R || S for ES256.
  std::string Sign(absl::string_view bytes) const;

 private:
  struct State;
  explicit SigningKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_SIGNING_KEY_H_
