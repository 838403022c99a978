#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_ACCESS_GRANT_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_ACCESS_GRANT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/policy/action.h"
#include "services/policy/repository_pattern.h"

namespace entrepot::auth {

// What an account may do besides what the policy allows it: a robot's scope, or what its claims give to somebody whom
// an identity provider vouches for. Immutable.
class AccessGrant {
 public:
  // `repositories` are patterns, `actions` pull, push and delete. kInvalidArgument: what is wrong with which.
  static absl::StatusOr<AccessGrant> Parse(absl::Span<const std::string> repositories,
                                           absl::Span<const std::string> actions);

  bool Allows(policy::Action action, absl::string_view repository) const;
  bool AllowsSomewhere(policy::Action action) const;
  const std::vector<policy::RepositoryPattern>& repositories() const { return repositories_; }

 private:
  std::vector<policy::RepositoryPattern> repositories_;
  std::vector<policy::Action> actions_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_ACCESS_GRANT_H_
