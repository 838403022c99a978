#ifndef ENTREPOT_SERVICES_CORE_CALLER_H_
#define ENTREPOT_SERVICES_CORE_CALLER_H_

#include <string>

#include "absl/time/time.h"

namespace entrepot {

// On whose behalf something is done.
struct Caller {
  // Empty: nobody who has shown a credential, or the registry has no accounts.
  std::string account;
  // When the token was issued that the request came with. Without a token: never too old.
  absl::Time token_issued_at = absl::InfiniteFuture();
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_CALLER_H_
