#ifndef ENTREPOT_SERVICES_CORE_CALLER_H_
#define ENTREPOT_SERVICES_CORE_CALLER_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace entrepot {

// On whose behalf something is done.
struct Caller {
  // Empty: nobody who has shown a credential, or the registry has no accounts.
  std::string account;
  // The groups that the auth service keeps the account in, besides those of the policy file.
  std::vector<std::string> groups = {};
  // When the token was issued that the request came with. Without a token: never too old.
  absl::Time token_issued_at = absl::InfiniteFuture();
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_CALLER_H_
