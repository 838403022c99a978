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

// What the registry's tokens are signed and verified with, in the KV: any number of processes may share it.
//
// Rotation: the new key signs at once where it was made, and within kReadAgainAfter everywhere else. The old key's
// private half is forgotten at once; its public half stays for as long as a token that it has signed can be good, so
// that a client in the middle of a push notices nothing. A verifier that meets a kid it does not know asks
// VerificationKeys(), which always reads the KV: a key is there before anything is signed with it.
//
// Thread-safe. Calls block on the KV; its errors are returned.
class SigningKeySet {
 public:
  struct Options {
    // Of keys made from now on.
    token::SignatureAlgorithm algorithm = token::SignatureAlgorithm::kEs256;
    // The longest of any token that is signed with these keys.
    absl::Duration token_lifetime;
  };
  struct KeyInfo {
    std::string kid;
    token::SignatureAlgorithm algorithm;
    absl::Time created_at;
    // nullopt: it signs.
    std::optional<absl::Time> verifies_until;
  };

  // How soon the work of other processes is noticed.
  static constexpr absl::Duration kReadAgainAfter = absl::Seconds(1);
  // While the KV cannot be read, what was read last is signed with for no longer than this.
  static constexpr absl::Duration kStaleMax = absl::Seconds(60);
  // Keys that only verify; Rotate refuses to make more.
  static constexpr size_t kOldKeysMax = 16;

  // Makes the first key where there is none. `kv` and `clock` outlive it.
  static absl::StatusOr<std::unique_ptr<SigningKeySet>> Open(kv::KvEngine* kv, const Clock* clock,
                                                             const Options& options);

  // What to sign with now.
  absl::StatusOr<token::SigningKey> Active();
  // All that a token may have been signed with that is still good.
  absl::StatusOr<token::KeySet> VerificationKeys();
  // The same for people, newest first.
  absl::StatusOr<std::vector<KeyInfo>> List();
  // kFailedPrecondition: kOldKeysMax.
  absl::Status Rotate();

 private:
  SigningKeySet(kv::KvEngine* kv, const Clock* clock, const Options& options)
      : kv_(*kv), clock_(*clock), options_(options) {}

  absl::Status MakeFirstKey();
  absl::StatusOr<std::shared_ptr<const SigningKeySnapshot>> Read();
  // Of the snapshot, those that count now.
  std::vector<SigningKeySnapshot::Key> GoodKeys(const SigningKeySnapshot& snapshot) const;

  kv::KvEngine& kv_;
  const Clock& clock_;
  const Options options_;

  absl::Mutex mutex_;
  // What was read last, when, and what it says.
  std::string value_ ABSL_GUARDED_BY(mutex_);
  absl::Time read_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::shared_ptr<const SigningKeySnapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_TOKENS_SIGNING_KEY_SET_H_
