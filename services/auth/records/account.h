#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/auth/records/access_grant.h"
#include "services/policy/subject.h"

namespace entrepot::auth {

// Somebody who has shown a credential, or whom an administrator asks about; without a name, anybody.
struct Account {
  policy::Subject subject = {};
  // What it may do besides what the policy allows it.
  std::vector<AccessGrant> grants = {};
  // Of what its credential is verified against. Empty: it is given no refresh tokens.
  std::string credential_sha256 = {};
  // When the credential ends; a token for it ends then too.
  absl::Time expires_at = absl::InfiniteFuture();

  const std::string& name() const { return subject.account; }
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_H_
