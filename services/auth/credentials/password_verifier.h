#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_PASSWORD_VERIFIER_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_PASSWORD_VERIFIER_H_

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/auth/credentials/bcrypt_hash.h"
#include "services/auth/credentials/hash_gate.h"
#include "services/auth/credentials/verified_credentials.h"
#include "services/auth/records/auth_metrics.h"
#include "services/core/time/clock.h"

namespace entrepot::auth {

// Of hashes that are made here: some 50 ms.
inline constexpr int kNewHashCost = 10;

// Checks passwords so that neither answer nor time says whether an account exists, and so that no more of them are
// hashed at once than the machine can bear. Thread-safe.
class PasswordVerifier {
 public:
  PasswordVerifier(const Clock* clock, size_t hashes_max, AuthMetrics* metrics);

  // How many threads may be in it: hashing, or waiting for their turn.
  static size_t ThreadsMax(size_t hashes_max);

  // Whether it is the password of the account; without a hash (there is no such account) never. What is wrong takes as
  // long as a hash of the cost `cost_max`, which is that of the costliest hash of any account.
  // kResourceExhausted (TOOMANYREQUESTS): too many wait for their turn.
  absl::StatusOr<bool> Verify(absl::string_view account, absl::string_view password,
                              const std::optional<BcryptHash>& hash, int cost_max);
  // For a new password. kInvalidArgument: it is none (CheckNewPassword); kResourceExhausted: as above.
  absl::StatusOr<BcryptHash> Hash(absl::string_view password);

 private:
  template <typename Work>
  auto InTurn(const Work& work) -> absl::StatusOr<decltype(work())>;

  AuthMetrics& metrics_;
  HashGate gate_;
  VerifiedCredentials verified_;
};

// 1 to 72 bytes (bcrypt takes in no more), none of them a control character. kInvalidArgument: what is wrong with it.
absl::Status CheckNewPassword(absl::string_view password);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_PASSWORD_VERIFIER_H_
