#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_PASSWORD_VERIFIER_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_PASSWORD_VERIFIER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/auth/credentials/bcrypt_hash.h"
#include "services/auth/credentials/hash_gate.h"
#include "services/auth/credentials/verified_credentials.h"
#include "services/auth/records/auth_metrics.h"
#include "services/core/time/clock.h"

namespace entrepot::auth {

// The cost of new hashes: about 50 ms.
inline constexpr int kNewHashCost = 10;

// Verifies passwords. Neither the result nor the time reveals whether an account exists, and the number of passwords
// that are hashed at once is limited. Thread-safe.
class PasswordVerifier {
 public:
  PasswordVerifier(const Clock* clock, size_t hashes_max, AuthMetrics* metrics);

  // How many threads may be inside: hashing, or waiting for a slot.
  static size_t ThreadsMax(size_t hashes_max);

  // Whether the password matches the account's hash. Never true without a hash, which means that there is no such
  // account. If it is wrong, this takes as long as hashing with the cost `cost_max`, the highest cost of any account's
  // hash. kResourceExhausted (TOOMANYREQUESTS, with the wait): too many threads wait for a slot. A password that was
  // verified within the last 24 hours is accepted then.
  absl::StatusOr<bool> Verify(absl::string_view account, absl::string_view password,
                              const std::optional<BcryptHash>& hash, int cost_max);
  // Whether the password is right and was verified within the last 24 hours, by comparison with the memory of those; no
  // hash is computed.
  bool VerifiedLately(absl::string_view account, absl::string_view password, const BcryptHash& hash);
  // Hashes a new password. kInvalidArgument: it is not allowed (CheckNewPassword). kResourceExhausted: as above.
  absl::StatusOr<BcryptHash> Hash(absl::string_view password);

 private:
  // About how long the threads that wait for a slot will take.
  absl::Duration QueueTime() const;

  template <typename Work>
  auto WithSlot(const Work& work) -> absl::StatusOr<decltype(work())>;

  AuthMetrics& metrics_;
  HashGate gate_;
  std::atomic<int64_t> last_hash_nanoseconds_{0};
  VerifiedCredentials verified_;
};

// A new password must have 1 to 72 bytes (bcrypt ignores further ones) and no control characters. kInvalidArgument: it
// does not; the message gives the reason.
absl::Status CheckNewPassword(absl::string_view password);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_PASSWORD_VERIFIER_H_
