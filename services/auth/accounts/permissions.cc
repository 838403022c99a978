#include "services/auth/accounts/permissions.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace entrepot::auth {
namespace {

using policy::Action;

constexpr std::array kAllActions = {Action::kDelete, Action::kPull, Action::kPush};

std::vector<std::string> GrantActions(const policy::Policy& policy, const Account& account,
                                      const RepositoryName& repository, const AccessScope& requested) {
  std::vector<std::string> granted;
  for (const Action action : kAllActions) {
    if (!requested.Allows(policy::ActionName(action))) continue;
    if (!Decide(policy, account, action, repository).allowed) continue;
    granted.emplace_back(policy::ActionName(action));
  }
  const bool asked_for_all = requested.Allows("*");
  if (asked_for_all && granted.size() == kAllActions.size()) return {"*"};
  return granted;
}

// For the reason of a denial.
std::string WhatScopesAllow(const Account& account, const RepositoryName& repository) {
  std::vector<absl::string_view> allowed;
  for (const Action action : kAllActions) {
    const bool allows = std::any_of(account.grants.begin(), account.grants.end(), [&](const AccessGrant& grant) {
      return grant.Allows(action, repository.ToString());
    });
    if (allows) allowed.push_back(policy::ActionName(action));
  }
  if (allowed.empty()) return absl::StrCat("no scope of ", account.name(), " does");
  return absl::StrCat("the scopes of ", account.name(), " allow only ", absl::StrJoin(allowed, " and "));
}

std::vector<std::string> GrantRegistryActions(const policy::Policy& policy, const Account& account,
                                              const AccessScope& requested) {
  const AccessScope whole{.type = requested.type, .name = requested.name, .actions = {"*"}};
  if (!requested.Allows("*")) return {};
  const std::string text = whole.ToString();
  const bool granted = (text == kCatalogScope && !ReadableRepositories(policy, account).empty()) ||
                       (text == kAdministrationScope && policy.IsAdministrator(account.subject));
  return granted ? whole.actions : std::vector<std::string>();
}

std::vector<std::string> Grant(const policy::Policy& policy, const Account& account, const AccessScope& requested) {
  if (requested.type == "registry") return GrantRegistryActions(policy, account, requested);
  if (requested.type != "repository") return {};
  const absl::StatusOr<RepositoryName> repository = RepositoryName::Parse(requested.name);
  if (!repository.ok()) return {};
  return GrantActions(policy, account, *repository, requested);
}

}  // namespace

policy::Decision Decide(const policy::Policy& policy, const Account& account, Action action,
                        const RepositoryName& repository) {
  policy::Decision decision = policy.Decide(account.subject, action, repository);
  if (decision.allowed || account.grants.empty()) return decision;
  for (size_t i = 0; i < account.grants.size(); ++i) {
    if (!account.grants[i].Allows(action, repository.ToString())) continue;
    return {.allowed = true, .reason = absl::StrCat("scope ", i + 1, " of ", account.name(), " allows it")};
  }
  absl::StrAppend(&decision.reason, ", and ", WhatScopesAllow(account, repository));
  return decision;
}

std::vector<AccessScope> GrantScopes(const policy::Policy& policy, const Account& account,
                                     const std::vector<AccessScope>& requested) {
  std::vector<AccessScope> granted;
  for (const AccessScope& scope : requested) {
    std::vector<std::string> actions = Grant(policy, account, scope);
    const bool is_repository = scope.type == "repository" && RepositoryName::Parse(scope.name).ok();
    if (actions.empty() && !is_repository) continue;
    granted.push_back({.type = scope.type, .name = scope.name, .actions = std::move(actions)});
  }
  return granted;
}

std::vector<std::string> ReadableRepositories(const policy::Policy& policy, const Account& account) {
  std::vector<std::string> patterns;
  const auto add = [&](const policy::RepositoryPattern& pattern) { patterns.push_back(pattern.ToString()); };
  const std::vector<policy::RepositoryPattern> allowed = policy.ReadableRepositories(account.subject);
  std::for_each(allowed.begin(), allowed.end(), add);
  for (const AccessGrant& grant : account.grants) {
    if (!grant.AllowsSomewhere(Action::kPull)) continue;
    std::for_each(grant.repositories().begin(), grant.repositories().end(), add);
  }
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  return patterns;
}

}  // namespace entrepot::auth
