#ifndef ENTREPOT_SERVICES_CORE_DIGESTER_H_
#define ENTREPOT_SERVICES_CORE_DIGESTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"

namespace entrepot {

// The state of a digester, complete enough to continue in another process. The fields are those of FIPS 180-4: only
// numbers and a tail shorter than one block are deserialised.
struct DigesterState {
  DigestAlgorithm algorithm = DigestAlgorithm::kSha256;
  uint64_t length_bytes = 0;
  // Eight words. For SHA-256 each fits in 32 bits.
  std::vector<uint64_t> words;
  // The bytes after the last whole block: length_bytes modulo 64 (SHA-256) or 128 (SHA-512) of them.
  std::string tail;

  friend bool operator==(const DigesterState&, const DigesterState&) = default;
};

// A running hash whose state can be saved and restored. Not thread-safe.
class Digester {
 public:
  explicit Digester(DigestAlgorithm algorithm);
  Digester(Digester&&) noexcept;
  Digester& operator=(Digester&&) noexcept;
  ~Digester();

  // kInvalidArgument if Save() cannot have returned that state.
  static absl::StatusOr<Digester> Restore(const DigesterState& state);

  DigestAlgorithm algorithm() const;
  uint64_t length_bytes() const;
  void Update(absl::string_view bytes);
  DigesterState Save() const;
  // The digest of all bytes so far. More bytes can be added afterwards.
  Digest Current() const;

 private:
  struct Context;
  explicit Digester(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

// The digest of `bytes`.
Digest ComputeDigest(DigestAlgorithm algorithm, absl::string_view bytes);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_DIGESTER_H_
