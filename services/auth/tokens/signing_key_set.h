#ifndef ENTREPOT_SERVICES_AUTH_TOKENS_SIGNING_KEY_SET_H_
#define ENTREPOT_SERVICES_AUTH_TOKENS_SIGNING_KEY_SET_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/auth/tokens/signing_key_snapshot.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/token/key_set.h"
#include "services/token/signature_algorithm.h"
#include "services/token/signing_key.h"

namespace entrepot::auth {

// The keys that sign and verify the registry's tokens, in the KV. Any number of processes may share them.
//
// Rotation happens only when an administrator commands it (`entrepotctl keys rotate`), never by time.
// - The process that rotates signs with the new key at once.
// - Any other process reads the KV again after kReadAgainAfter and then signs with the new key. While the KV is
//   unavailable, it signs with the old key, for up to kStaleMax after its last read.
// - The stored private half of the old key is deleted at once.
// - The public half stays until every token that the old key signed has expired: for kStaleMax, plus the longest
//   lifetime with which the key may have signed, plus the leeway for clocks. So a rotation does not interrupt a push,
//   also if the configured lifetime is shorter now. The record of the key remembers the longest lifetime.
// - A key is stored before it signs. A verifier that finds an unknown kid calls VerificationKeys(), which always reads
//   the KV.
//
// Thread-safe. Calls block on the KV and return its errors.
class SigningKeySet {
 public:
  struct Options {
    // The algorithm of keys that are created from now on.
    token::SignatureAlgorithm algorithm = token::SignatureAlgorithm::kEs256;
    // The longest lifetime of the tokens that this process signs.
    absl::Duration token_lifetime;
  };
  struct KeyInfo {
    std::string kid;
    token::SignatureAlgorithm algorithm;
    absl::Time created_at;
    // nullopt for the key that signs.
    std::optional<absl::Time> verifies_until;
  };

  // Active() reads the KV again if its last read is older than this.
  static constexpr absl::Duration kReadAgainAfter = absl::Seconds(1);
  // While the KV is unavailable, Active() returns the key of its last read for up to this time after that read.
  static constexpr absl::Duration kStaleMax = absl::Seconds(60);
  // The most keys that only verify. Rotate() refuses to exceed it.
  static constexpr size_t kOldKeysMax = 16;

  // Creates the first key if there is none. `kv` and `clock` must outlive this object.
  static absl::StatusOr<std::unique_ptr<SigningKeySet>> Open(kv::KvEngine* kv, const Clock* clock,
                                                             const Options& options);

  // The key that signs now.
  absl::StatusOr<token::SigningKey> Active();
  // The keys of all tokens that may still be valid.
  absl::StatusOr<token::KeySet> VerificationKeys();
  // Descriptions of the same keys, newest first.
  absl::StatusOr<std::vector<KeyInfo>> List();
  // kFailedPrecondition: there are kOldKeysMax keys that only verify.
  absl::Status Rotate();

 private:
  SigningKeySet(kv::KvEngine* kv, const Clock* clock, const Options& options)
      : kv_(*kv), clock_(*clock), options_(options) {}

  absl::Status MakeFirstKey();
  absl::StatusOr<std::shared_ptr<const SigningKeySnapshot>> Read();
  // Read(), and notes this process's token lifetime in the record if it is longer than the one there. If the note
  // cannot be written, the process signs all the same, and the next call tries again.
  absl::StatusOr<std::shared_ptr<const SigningKeySnapshot>> ReadToSign();
  // The keys of the snapshot that are valid now.
  std::vector<SigningKeySnapshot::Key> GoodKeys(const SigningKeySnapshot& snapshot) const;

  kv::KvEngine& kv_;
  const Clock& clock_;
  const Options options_;

  absl::Mutex mutex_;
  // The last value that was read, when it was read, and its content.
  std::string value_ ABSL_GUARDED_BY(mutex_);
  absl::Time read_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::shared_ptr<const SigningKeySnapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_TOKENS_SIGNING_KEY_SET_H_
