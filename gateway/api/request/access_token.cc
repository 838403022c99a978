#include "gateway/api/request/access_token.h"

#include <algorithm>
#include <set>

namespace entrepot::gateway::api {
namespace {

constexpr absl::string_view kRepository = "repository";
constexpr absl::string_view kRegistry = "registry";

}  // namespace

AccessToken::AccessToken(const token::RegistryClaims& claims, uint64_t generation)
    : caller_{claims.subject, claims.groups, claims.issued_at},
      not_before_(claims.not_before),
      expires_at_(claims.expires_at),
      access_(claims.access),
      generation_(generation) {}

bool AccessToken::Grants(Permission permission, absl::string_view repository) const {
  switch (permission) {
    case Permission::kNone:
    case Permission::kAnyToken:
      return true;
    case Permission::kPull:
      return Allows(kRepository, repository, "pull");
    case Permission::kPush:
      return Allows(kRepository, repository, "push");
    case Permission::kDelete:
      return Allows(kRepository, repository, "delete");
    case Permission::kCatalog:
      return Allows(kRegistry, "catalog", "*");
    case Permission::kAdmin:
      return Allows(kRegistry, "administration", "*");
  }
  return false;
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

bool AccessToken::Allows(absl::string_view type, absl::string_view name, absl::string_view action) const {
  return std::any_of(access_.begin(), access_.end(), [&](const AccessScope& scope) {
    return scope.name == name && scope.type == type && scope.Allows(action);
  });
}

}  // namespace entrepot::gateway::api
