#ifndef ENTREPOT_SERVICES_CORE_CALLER_H_
#define ENTREPOT_SERVICES_CORE_CALLER_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace entrepot {

// The caller of a request.
struct Caller {
  // Empty for an anonymous caller, and if the registry has no accounts.
  std::string account;
  // The account's groups in the auth service, in addition to those in the policy file.
  std::vector<std::string> groups = {};
  // When the token of the request was issued. Without a token: the infinite future, which no minimum age excludes.
  absl::Time token_issued_at = absl::InfiniteFuture();
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_CALLER_H_
