#include "services/core/digest.h"

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/core/text/lower_hex.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot {
namespace {

size_t HashSizeBytes(DigestAlgorithm algorithm) { return algorithm == DigestAlgorithm::kSha256 ? 32 : 64; }

}  // namespace

absl::string_view DigestAlgorithmName(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::kSha256 ? "sha256" : "sha512";
}

absl::StatusOr<DigestAlgorithm> ParseDigestAlgorithm(absl::string_view name) {
  if (name == "sha256") return DigestAlgorithm::kSha256;
  if (name == "sha512") return DigestAlgorithm::kSha512;
  return OciError(OciErrorCode::kDigestInvalid,
                  absl::StrCat("the digest algorithm ", QuotedInput(name), " is not one of sha256 and sha512"));
}

absl::StatusOr<Digest> Digest::Parse(absl::string_view text) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) {
    return OciError(OciErrorCode::kDigestInvalid,
                    absl::StrCat("the digest ", QuotedInput(text), " is not of the form <algorithm>:<hex>"));
  }
  const absl::StatusOr<DigestAlgorithm> algorithm = ParseDigestAlgorithm(text.substr(0, colon));
  if (!algorithm.ok()) return algorithm.status();
  const absl::string_view hex = text.substr(colon + 1);
  const size_t digits = 2 * HashSizeBytes(*algorithm);
  if (hex.size() != digits || !IsLowerHex(hex)) {
    return OciError(OciErrorCode::kDigestInvalid,
                    absl::StrCat("the digest ", QuotedInput(text), " does not have exactly ", digits,
                                 " lower-case hex digits behind its algorithm"));
  }
  return Digest(*algorithm, std::string(text));
}

Digest Digest::FromBytes(DigestAlgorithm algorithm, absl::string_view bytes) {
  if (bytes.size() != HashSizeBytes(algorithm)) std::abort();
  return Digest(algorithm, absl::StrCat(DigestAlgorithmName(algorithm), ":", absl::BytesToHexString(bytes)));
}

absl::string_view Digest::hex() const {
  return absl::string_view(text_).substr(DigestAlgorithmName(algorithm_).size() + 1);
}

}  // namespace entrepot
