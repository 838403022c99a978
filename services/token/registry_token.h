#ifndef ENTREPOT_SERVICES_TOKEN_REGISTRY_TOKEN_H_
#define ENTREPOT_SERVICES_TOKEN_REGISTRY_TOKEN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/access_scope.h"
#include "services/token/claims.h"
#include "services/token/key_set.h"
#include "services/token/signing_key.h"

namespace entrepot::token {

// A scope that was requested in vain, with the denied actions, and the reason: "no rule of policy.yaml allows it".
struct DeniedScope {
  AccessScope scope;
  std::string reason;

  friend bool operator==(const DeniedScope&, const DeniedScope&) = default;
};

// The claims of the registry's own tokens (Distribution's token specification, "JWT"). Times are whole seconds.
struct RegistryClaims {
  std::string issuer;
  std::string subject;  // The account. Empty if the token is anonymous.
  // The groups that the auth service has the account in, in addition to those of the policy file.
  std::vector<std::string> groups = {};
  std::string audience;
  absl::Time issued_at;
  absl::Time not_before;
  absl::Time expires_at;
  std::string id;
  std::vector<AccessScope> access;
  // Grants nothing. Verifiers may ignore it; a token of an older version does not have it.
  std::vector<DeniedScope> denied = {};
};

std::string IssueRegistryToken(const SigningKey& key, const RegistryClaims& claims);

// What a verifier compares with the claims.
struct ExpectedToken {
  std::string issuer;
  std::string audience;
};

// Verifies a token and returns its claims. kUnauthenticated (UNAUTHORIZED), with the reason: the token is malformed;
// its signature, algorithm (which must be the key's, whatever the header contains), issuer or audience is wrong; it is
// expired or not yet valid by more than kLeeway; or a claim is missing. kNotFound: its kid is not in the set, and
// nothing else was checked: newer keys may contain it.
absl::StatusOr<RegistryClaims> VerifyRegistryToken(absl::string_view text, const KeySet& keys,
                                                   const ExpectedToken& expected, absl::Time now);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_REGISTRY_TOKEN_H_
