#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_ACCESS_GRANT_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_ACCESS_GRANT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/policy/repository_pattern.h"
#include "services/policy/rule.h"

namespace entrepot::auth {

// A right of an account in addition to the policy: a robot's scope, or what a claim rule gives to an identity
// provider's token. Immutable.
class AccessGrant {
 public:
  // `repositories` are patterns; `actions` are "pull", "push" and "delete". kInvalidArgument: one of them is invalid;
  // the message names it and gives the reason.
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
