#include "services/auth/records/access_grant.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

absl::StatusOr<AccessGrant> AccessGrant::Parse(absl::Span<const std::string> repositories,
                                               absl::Span<const std::string> actions) {
  if (repositories.empty()) return absl::InvalidArgumentError("there are no repositories");
  if (actions.empty()) return absl::InvalidArgumentError("there are no actions");
  AccessGrant grant;
  for (const std::string& text : repositories) {
    ASSIGN_OR_RETURN(policy::RepositoryPattern pattern, policy::RepositoryPattern::Parse(text));
    grant.repositories_.push_back(std::move(pattern));
  }
  for (const std::string& name : actions) {
    const std::optional<policy::Action> action = policy::ActionByName(name);
    if (!action.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(QuotedInput(name), " is not an action: use pull, push or delete"));
    }
    grant.actions_.push_back(*action);
  }
  return grant;
}

bool AccessGrant::Allows(policy::Action action, absl::string_view repository) const {
  return AllowsSomewhere(action) &&
         std::any_of(repositories_.begin(), repositories_.end(),
                     [repository](const policy::RepositoryPattern& pattern) { return pattern.Matches(repository); });
}

bool AccessGrant::AllowsSomewhere(policy::Action action) const {
  return std::find(actions_.begin(), actions_.end(), action) != actions_.end();
}

}  // namespace entrepot::auth
