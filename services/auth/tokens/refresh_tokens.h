#ifndef ENTREPOT_SERVICES_AUTH_TOKENS_REFRESH_TOKENS_H_
#define ENTREPOT_SERVICES_AUTH_TOKENS_REFRESH_TOKENS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// Refresh tokens: opaque secrets that clients store instead of a password. Only their SHA-256 is stored here. A token
// is invalid once it has expired, its account's tokens were revoked, or the account's credential has changed since it
// was issued. Issuing new tokens removes expired ones. An account has a bounded number of them: beyond it, those that
// expire first become invalid. Thread-safe.
class RefreshTokens {
 public:
  // So many jobs may hold one of an account at once. The bound is looked at after one of kBoundEvery new tokens, so an
  // account may have a few hundred more.
  static constexpr size_t kTokensOfAccountMax = 10'000;
  static constexpr int kBoundEvery = 64;

  struct Bound {
    size_t of_account_max = kTokensOfAccountMax;
    int every = kBoundEvery;
  };

  // The account that a token stands for. The caller must check that the account's credential has not changed.
  struct Holder {
    std::string account;
    std::string client_id;
    std::string credential_sha256;
  };

  RefreshTokens(kv::KvEngine* kv, const Clock* clock, absl::Duration lifetime)
      : RefreshTokens(kv, clock, lifetime, Bound()) {}
  RefreshTokens(kv::KvEngine* kv, const Clock* clock, absl::Duration lifetime, const Bound& bound)
      : kv_(*kv), clock_(*clock), lifetime_(lifetime), bound_(bound) {}

  // The token is durable when this returns.
  absl::StatusOr<std::string> Issue(const Holder& holder);
  // nullopt if the token is unknown, expired or revoked.
  absl::StatusOr<std::optional<Holder>> Find(absl::string_view token) const;
  absl::Status RevokeAll(absl::string_view account);

  // For a transaction that creates or deletes the account. It must hold LockOf(account).
  static kv::Lock LockOf(absl::string_view account);
  static absl::Status RevokeAll(kv::KvTransaction& transaction, absl::string_view account);

 private:
  absl::Status RemoveSomeExpired(kv::KvTransaction& transaction, absl::Time now) const;
  // Removes the oldest tokens of the account beyond its bound.
  absl::Status KeepBound(const std::string& account);

  kv::KvEngine& kv_;
  const Clock& clock_;
  const absl::Duration lifetime_;
  const Bound bound_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_TOKENS_REFRESH_TOKENS_H_
