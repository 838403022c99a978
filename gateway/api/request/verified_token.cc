#include "gateway/api/request/verified_token.h"

#include <algorithm>
#include <set>

namespace entrepot::gateway::api {
namespace {

constexpr absl::string_view kRepository = "repository";
constexpr absl::string_view kRegistry = "registry";

}  // namespace

VerifiedToken::VerifiedToken(const token::RegistryClaims& claims, uint64_t generation)
    : caller_{claims.subject, claims.groups, claims.issued_at},
      not_before_(claims.not_before),
      expires_at_(claims.expires_at),
      access_(claims.access),
      generation_(generation) {}

bool VerifiedToken::Grants(Need need, absl::string_view repository) const {
  switch (need) {
    case Need::kNothing:
    case Need::kAnyToken:
      return true;
    case Need::kPull:
      return Allows(kRepository, repository, "pull");
    case Need::kPush:
      return Allows(kRepository, repository, "push");
    case Need::kDelete:
      return Allows(kRepository, repository, "delete");
    case Need::kCatalog:
      return Allows(kRegistry, "catalog", "*");
    case Need::kAdminister:
      return Allows(kRegistry, "administration", "*");
  }
  return false;
}

bool VerifiedToken::Names(absl::string_view repository) const {
  return std::any_of(access_.begin(), access_.end(),
                     [&](const AccessScope& scope) { return scope.name == repository && scope.type == kRepository; });
}

std::vector<std::string> VerifiedToken::ActionsOn(absl::string_view repository) const {
  std::set<std::string> actions;
  for (const AccessScope& scope : access_) {
    if (scope.type == kRepository && scope.name == repository) {
      actions.insert(scope.actions.begin(), scope.actions.end());
    }
  }
  return {actions.begin(), actions.end()};
}

std::vector<std::string> VerifiedToken::ReadableRepositories(size_t count_max) const {
  std::vector<std::string> names;
  for (const AccessScope& scope : access_) {
    if (names.size() == count_max) break;
    if (scope.type == kRepository && scope.Allows("pull")) names.push_back(scope.name);
  }
  return names;
}

bool VerifiedToken::Allows(absl::string_view type, absl::string_view name, absl::string_view action) const {
  return std::any_of(access_.begin(), access_.end(), [&](const AccessScope& scope) {
    return scope.name == name && scope.type == type && scope.Allows(action);
  });
}

}  // namespace entrepot::gateway::api
