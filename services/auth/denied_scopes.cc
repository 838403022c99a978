#include "services/auth/denied_scopes.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "services/auth/accounts/permissions.h"
#include "services/core/repository_name.h"
#include "services/policy/rule.h"

namespace entrepot::auth {
namespace {

using policy::Action;

constexpr size_t kDeniedBytesMax = 2048;

token::DeniedScope DeniedOnRepository(const policy::Policy& policy, const Account& account,
                                      const AccessScope& requested, const AccessScope& granted) {
  token::DeniedScope denied{.scope = {.type = requested.type, .name = requested.name, .actions = {}}, .reason = ""};
  const absl::StatusOr<RepositoryName> repository = RepositoryName::Parse(requested.name);
  if (!repository.ok()) return denied;
  for (const Action action : {Action::kDelete, Action::kPull, Action::kPush}) {
    const absl::string_view name = policy::ActionName(action);
    if (!requested.Allows(name) || granted.Allows(name)) continue;
    if (denied.scope.actions.empty()) denied.reason = Decide(policy, account, action, *repository).reason;
    denied.scope.actions.emplace_back(name);
  }
  return denied;
}

token::DeniedScope DeniedOnRegistry(const AccessScope& requested, const AccessScope& granted) {
  token::DeniedScope denied{.scope = {.type = requested.type, .name = requested.name, .actions = {}}, .reason = ""};
  if (!requested.Allows("*") || granted.Allows("*")) return denied;
  denied.scope.actions = {"*"};
  const std::string text = denied.scope.ToString();
  if (text == kCatalogScope) {
    denied.reason = "it may not pull from any repository";
  } else if (text == kAdministrationScope) {
    denied.reason = "it is not an administrator";
  } else {
    denied.scope.actions.clear();
  }
  return denied;
}

// Whether the scopes have the same type and name.
bool IsSame(const AccessScope& a, const AccessScope& b) { return a.type == b.type && a.name == b.name; }

}  // namespace

std::vector<token::DeniedScope> DeniedScopes(const policy::Policy& policy, const Account& account,
                                             const std::vector<AccessScope>& requested,
                                             const std::vector<AccessScope>& granted) {
  std::vector<token::DeniedScope> result;
  if (account.name().empty()) return result;
  size_t bytes = 0;
  auto next = granted.begin();  // In the order of `requested`, without some of them.
  for (const AccessScope& scope : requested) {
    const bool found = next != granted.end() && IsSame(*next, scope);
    const AccessScope have = found ? *next++ : AccessScope();
    token::DeniedScope denied =
        scope.type == "repository" ? DeniedOnRepository(policy, account, scope, have) : DeniedOnRegistry(scope, have);
    if (denied.scope.actions.empty()) continue;
    bytes += denied.scope.name.size() + denied.reason.size();
    if (bytes > kDeniedBytesMax) break;
    result.push_back(std::move(denied));
  }
  return result;
}

}  // namespace entrepot::auth
