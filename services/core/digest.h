#ifndef ENTREPOT_SERVICES_CORE_DIGEST_H_
#define ENTREPOT_SERVICES_CORE_DIGEST_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// The algorithms that the OCI image specification registers ("Descriptors", section "Digests").
enum class DigestAlgorithm { kSha256, kSha512 };

// "sha256" or "sha512".
absl::string_view DigestAlgorithmName(DigestAlgorithm algorithm);

// kInvalidArgument (DIGEST_INVALID) if `name` is not one of the two.
absl::StatusOr<DigestAlgorithm> ParseDigestAlgorithm(absl::string_view name);

// A content digest, `<algorithm>:<lower-case hex>`. Immutable; safe to share between threads.
class Digest {
 public:
  // Accepts only the canonical form: a known algorithm and exactly its number of lower-case hex digits. Anything else
  // is kInvalidArgument with the OCI code DIGEST_INVALID.
  static absl::StatusOr<Digest> Parse(absl::string_view text);

  // The digest of raw hash bytes. Their number must be the algorithm's (32 or 64); another number crashes.
  static Digest FromBytes(DigestAlgorithm algorithm, absl::string_view bytes);

  DigestAlgorithm algorithm() const { return algorithm_; }
  // "sha256:0123…"
  const std::string& ToString() const { return text_; }
  // The hex digits after the colon.
  absl::string_view hex() const;

  friend bool operator==(const Digest& a, const Digest& b) { return a.text_ == b.text_; }
  friend bool operator<(const Digest& a, const Digest& b) { return a.text_ < b.text_; }
  template <typename H>
  friend H AbslHashValue(H h, const Digest& digest) {
    return H::combine(std::move(h), digest.text_);
  }

 private:
  Digest(DigestAlgorithm algorithm, std::string text) : algorithm_(algorithm), text_(std::move(text)) {}

  DigestAlgorithm algorithm_;
  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_DIGEST_H_
