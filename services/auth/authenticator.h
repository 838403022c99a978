#ifndef ENTREPOT_SERVICES_AUTH_AUTHENTICATOR_H_
#define ENTREPOT_SERVICES_AUTH_AUTHENTICATOR_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "services/auth/accounts/account_directory.h"
#include "services/auth/accounts/audit_trail.h"
#include "services/auth/accounts/last_uses.h"
#include "services/auth/credentials/attempt_limits.h"
#include "services/auth/credentials/password_verifier.h"
#include "services/auth/records/account.h"
#include "services/auth/records/auth_metrics.h"
#include "services/auth/tokens/refresh_tokens.h"

namespace entrepot::auth {

// Finds out who asks for a token: by a password, a robot's secret, a refresh token, or an identity provider's token.
// Thread-safe.
//
// Guessing is bounded by AttemptLimits. A password is not even looked at where they refuse it: else what is right could
// still be found out. Of the other credentials, which nobody guesses, a right one is always let through, so that a
// client with a wrong password does not lock out the robots behind the same address.
class Authenticator {
 public:
  // All outlive it.
  struct Parts {
    AccountDirectory* accounts;
    PasswordVerifier* passwords;
    RefreshTokens* refresh_tokens;
    AttemptLimits* limits;
    LastUses* last_uses;
    AuthMetrics* metrics;
    AuditTrail* audit;
    // Whom an identity provider's token vouches for. kUnauthenticated: nobody.
    std::function<absl::StatusOr<Account>(absl::string_view token)> verify_identity;
  };

  explicit Authenticator(Parts parts) : parts_(std::move(parts)) {}

  // Without a credential: the account without a name. kUnauthenticated (UNAUTHORIZED): the credential is wrong,
  // whatever is wrong with it; kResourceExhausted (TOOMANYREQUESTS): too many attempts, or passwords to hash.
  absl::StatusOr<Account> Authenticate(const v1::IssueTokenRequest& request);

 private:
  // Who it would be, by which method, and why not (for the operator).
  struct Claim {
    AuthMethod method;
    std::string account;
  };

  Claim ClaimOf(const v1::IssueTokenRequest& request) const;
  absl::StatusOr<Account> Verify(const v1::IssueTokenRequest& request, Claim* claim);
  absl::StatusOr<Account> VerifyPassword(const v1::PasswordCredential& credential);
  absl::StatusOr<Account> VerifyRobotSecret(const v1::PasswordCredential& credential);
  absl::StatusOr<Account> VerifyRefreshToken(absl::string_view token, Claim* claim);

  // What the client is told of a credential that is not right, and what is counted and written down.
  absl::Status Refuse(const v1::IssueTokenRequest& request, const Claim& claim, const absl::Status& why);
  absl::Status TurnAway(const v1::IssueTokenRequest& request, const Claim& claim,
                        const AttemptLimits::Refusal& refusal);

  const Parts parts_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTHENTICATOR_H_
