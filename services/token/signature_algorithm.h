#ifndef ENTREPOT_SERVICES_TOKEN_SIGNATURE_ALGORITHM_H_
#define ENTREPOT_SERVICES_TOKEN_SIGNATURE_ALGORITHM_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::token {

// The supported signature algorithms of JSON Web Tokens (RFC 7518 section 3.1, RFC 8037).
enum class SignatureAlgorithm { kEs256, kEdDsa, kRs256 };

absl::string_view ToString(SignatureAlgorithm algorithm);  // "ES256", "EdDSA", "RS256"
// kInvalidArgument for every other name, including "none" and the HS family.
absl::StatusOr<SignatureAlgorithm> ParseSignatureAlgorithm(absl::string_view name);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_SIGNATURE_ALGORITHM_H_
