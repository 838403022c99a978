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

// What a client keeps in a password's place: an opaque secret, of which only the SHA-256 is kept. It is worth nothing
// once it has expired, its account's tokens were revoked, or the account's credential is another than the one that it
// was given for. What has expired is removed as new ones are made. Thread-safe.
class RefreshTokens {
 public:
  // Whom a token stands for. Whether the account's credential is still that one is for the caller to see.
  struct Holder {
    std::string account;
    std::string client_id;
    std::string credential_sha256;
  };

  RefreshTokens(kv::KvEngine* kv, const Clock* clock, absl::Duration lifetime)
      : kv_(*kv), clock_(*clock), lifetime_(lifetime) {}

  // Durable once it returns.
  absl::StatusOr<std::string> Issue(const Holder& holder);
  // nullopt: unknown, expired or revoked.
  absl::StatusOr<std::optional<Holder>> Find(absl::string_view token) const;
  absl::Status RevokeAll(absl::string_view account);

  // For the transaction in which an account goes. It holds LockOf(account).
  static kv::Lock LockOf(absl::string_view account);
  static absl::Status RevokeAll(kv::KvTransaction& transaction, absl::string_view account);

 private:
  absl::Status RemoveSomeExpired(kv::KvTransaction& transaction, absl::Time now) const;

  kv::KvEngine& kv_;
  const Clock& clock_;
  const absl::Duration lifetime_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_TOKENS_REFRESH_TOKENS_H_
