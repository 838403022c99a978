#ifndef ENTREPOT_SERVICES_AUTH_TOKEN_ISSUER_H_
#define ENTREPOT_SERVICES_AUTH_TOKEN_ISSUER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "services/auth/accounts/audit_trail.h"
#include "services/auth/authenticator.h"
#include "services/auth/records/account.h"
#include "services/auth/records/auth_metrics.h"
#include "services/auth/tokens/refresh_tokens.h"
#include "services/auth/tokens/signing_key_set.h"
#include "services/core/access_scope.h"
#include "services/core/time/clock.h"
#include "services/policy/policy_file.h"
#include "services/token/registry_token.h"

namespace entrepot::auth {

// Issues tokens: authenticates the request and grants the requested scopes as far as the policy allows them to the
// account, which may be anonymous (proto/entrepot/auth/v1/auth_service.proto). Thread-safe.
class TokenIssuer {
 public:
  // The objects must outlive the issuer.
  struct Parts {
    Authenticator* authenticator;
    RefreshTokens* refresh_tokens;
    SigningKeySet* keys;
    const policy::PolicyFile* policy;
    AuthMetrics* metrics;
    AuditTrail* audit;
    const Clock* clock;
    std::string issuer;
    std::string service;
    absl::Duration lifetime;
  };

  explicit TokenIssuer(Parts parts) : parts_(std::move(parts)) {}

  // kInvalidArgument: the request names another service, or more scopes than fit into a token. Scopes that are
  // malformed or of an unknown type grant nothing.
  absl::StatusOr<v1::IssueTokenResponse> IssueToken(const v1::IssueTokenRequest& request);

 private:
  absl::Status CheckService(const std::string& service) const;
  absl::StatusOr<std::string> Sign(const Account& account, absl::Time now, absl::Duration lifetime,
                                   std::vector<AccessScope> granted, std::vector<token::DeniedScope> denied) const;
  absl::StatusOr<std::string> RefreshTokenFor(const v1::IssueTokenRequest& request, const Account& account);

  const Parts parts_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_TOKEN_ISSUER_H_
