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

// What the registry's own tokens say (Distribution's token specification, "JWT"). Times are whole seconds.
struct RegistryClaims {
  std::string issuer;
  std::string subject;  // The account; empty: anonymous.
  // The groups that the auth service keeps the account in, besides those of the policy file.
  std::vector<std::string> groups = {};
  std::string audience;
  absl::Time issued_at;
  absl::Time not_before;
  absl::Time expires_at;
  std::string id;
  std::vector<AccessScope> access;
};

std::string IssueRegistryToken(const SigningKey& key, const RegistryClaims& claims);

// What a verifier knows beside the keys.
struct ExpectedToken {
  std::string issuer;
  std::string audience;
};

// kUnauthenticated (UNAUTHORIZED) with what was wrong: malformed, unknown key, wrong signature or algorithm (which is
// the key's, whatever the header says), issuer or audience, expired or not yet valid beyond kLeeway, a claim missing.
// kNotFound: its kid is not in the set, all else untested: newer keys may have it.
absl::StatusOr<RegistryClaims> VerifyRegistryToken(absl::string_view text, const KeySet& keys,
                                                   const ExpectedToken& expected, absl::Time now);

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_REGISTRY_TOKEN_H_
