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

// Authenticator: the step of IssueToken that verifies the credential of a request and finds its account. A credential
// is a password, a robot's secret, a refresh token, or an identity provider's token. Thread-safe.
//
// AttemptLimits limit guessing. If they refuse a password, it is not verified at all: otherwise an attacker could still
// find the right one. The exception is a password that logged in from the same address lately. Other credentials cannot
// be guessed. A right one is always accepted, so that a client with a wrong password does not lock out the robots
// behind the same address.
class Authenticator {
 public:
  // All must outlive the authenticator.
  struct Parts {
    AccountDirectory* accounts;
    PasswordVerifier* passwords;
    RefreshTokens* refresh_tokens;
    AttemptLimits* limits;
    LastUses* last_uses;
    AuthMetrics* metrics;
    AuditTrail* audit;
    // The account that an identity provider's token stands for. kUnauthenticated if no provider accepts the token.
    std::function<absl::StatusOr<Account>(absl::string_view token)> verify_identity;
  };

  explicit Authenticator(Parts parts) : parts_(std::move(parts)) {}

  // Returns the account of the request's credential, or the account without a name if there is no credential.
  // kUnauthenticated (UNAUTHORIZED): the credential is wrong, whatever is wrong with it. kResourceExhausted
  // (TOOMANYREQUESTS): there were too many attempts, or too many passwords wait to be hashed.
  absl::StatusOr<Account> Authenticate(const v1::IssueTokenRequest& request);

 private:
  // The method and the account of the credential, before it is verified.
  struct Attempt {
    AuthMethod method;
    std::string account;
  };

  Attempt AttemptOf(const v1::IssueTokenRequest& request) const;
  absl::StatusOr<Account> Verify(const v1::IssueTokenRequest& request, Attempt* attempt);
  absl::StatusOr<Account> VerifyPassword(const v1::PasswordCredential& credential);
  absl::StatusOr<Account> VerifyRobotSecret(const v1::PasswordCredential& credential);
  absl::StatusOr<Account> VerifyRefreshToken(absl::string_view token, Attempt* attempt);

  // Whether a password that the limits refuse is one that logged in from this address lately.
  bool LoggedInLately(const v1::IssueTokenRequest& request, const AttemptLimits::Refusal& refusal);

  // Count and log a credential that was not accepted, and return the error for the client.
  absl::Status RejectCredential(const v1::IssueTokenRequest& request, const Attempt& attempt, const absl::Status& why);
  absl::Status RejectOverLimit(const v1::IssueTokenRequest& request, const Attempt& attempt,
                               const AttemptLimits::Refusal& refusal);

  const Parts parts_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_AUTHENTICATOR_H_
