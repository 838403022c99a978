#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/auth/records/access_grant.h"
#include "services/policy/subject.h"

namespace entrepot::auth {

// An account that has authenticated, or that an administrator asks about. Without a name: an anonymous client.
struct Account {
  policy::Subject subject = {};
  // What it may do in addition to what the policy allows.
  std::vector<AccessGrant> grants = {};
  // SHA-256 of what its credential is verified against. If it is empty, the account gets no refresh tokens.
  std::string credential_sha256 = {};
  // When the credential expires. A token for it expires then too.
  absl::Time expires_at = absl::InfiniteFuture();

  const std::string& name() const { return subject.account; }
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_H_
