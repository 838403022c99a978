#include "gateway/api/request/access_token.h"

#include <algorithm>
#include <optional>
#include <set>

namespace entrepot::gateway::api {
namespace {

constexpr absl::string_view kRepository = "repository";
constexpr absl::string_view kRegistry = "registry";

// What a scope must contain for a permission.
struct Needed {
  absl::string_view type, name, action;

  bool IsIn(const AccessScope& scope) const { return scope.name == name && scope.type == type && scope.Allows(action); }
};

// nullopt if any token will do.
std::optional<Needed> NeededFor(Permission permission, absl::string_view repository) {
  switch (permission) {
    case Permission::kNone:
    case Permission::kAnyToken:
      return std::nullopt;
    case Permission::kPull:
      return Needed{kRepository, repository, "pull"};
    case Permission::kPush:
      return Needed{kRepository, repository, "push"};
    case Permission::kDelete:
      return Needed{kRepository, repository, "delete"};
    case Permission::kCatalog:
      return Needed{kRegistry, "catalog", "*"};
    case Permission::kAdmin:
      return Needed{kRegistry, "administration", "*"};
  }
  return Needed{};
}

}  // namespace

AccessToken::AccessToken(const token::RegistryClaims& claims, uint64_t generation)
    : caller_{claims.subject, claims.groups, claims.issued_at},
      not_before_(claims.not_before),
      expires_at_(claims.expires_at),
      access_(claims.access),
      denied_(claims.denied),
      generation_(generation) {}

bool AccessToken::Grants(Permission permission, absl::string_view repository) const {
  const std::optional<Needed> needed = NeededFor(permission, repository);
  return !needed.has_value() ||
         std::any_of(access_.begin(), access_.end(), [&](const AccessScope& scope) { return needed->IsIn(scope); });
}

absl::string_view AccessToken::WhyDenied(Permission permission, absl::string_view repository) const {
  const std::optional<Needed> needed = NeededFor(permission, repository);
  if (!needed.has_value() || Grants(permission, repository)) return "";
  const auto found = std::find_if(denied_.begin(), denied_.end(),
                                  [&](const token::DeniedScope& denied) { return needed->IsIn(denied.scope); });
  return found == denied_.end() ? absl::string_view() : absl::string_view(found->reason);
}

bool AccessToken::Names(absl::string_view repository) const {
  return std::any_of(access_.begin(), access_.end(),
                     [&](const AccessScope& scope) { return scope.name == repository && scope.type == kRepository; });
}

std::vector<std::string> AccessToken::ActionsOn(absl::string_view repository) const {
  std::set<std::string> actions;
  for (const AccessScope& scope : access_) {
    if (scope.type == kRepository && scope.name == repository) {
      actions.insert(scope.actions.begin(), scope.actions.end());
    }
  }
  return {actions.begin(), actions.end()};
}

std::vector<std::string> AccessToken::ReadableRepositories(size_t count_max) const {
  std::vector<std::string> names;
  for (const AccessScope& scope : access_) {
    if (names.size() == count_max) break;
    if (scope.type == kRepository && scope.Allows("pull")) names.push_back(scope.name);
  }
  return names;
}

}  // namespace entrepot::gateway::api
