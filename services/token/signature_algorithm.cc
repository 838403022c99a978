#include "services/token/signature_algorithm.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/status/quoted_input.h"

namespace entrepot::token {

absl::string_view ToString(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kEs256:
      return "ES256";
    case SignatureAlgorithm::kEdDsa:
      return "EdDSA";
    case SignatureAlgorithm::kRs256:
      return "RS256";
  }
  return "";
}

absl::StatusOr<SignatureAlgorithm> ParseSignatureAlgorithm(absl::string_view name) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEs256, SignatureAlgorithm::kEdDsa, SignatureAlgorithm::kRs256}) {
    if (name == ToString(algorithm)) return algorithm;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the signature algorithm ", QuotedInput(name), " is not ES256, EdDSA or RS256"));
}

}  // namespace entrepot::token
