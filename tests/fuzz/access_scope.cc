#include "services/core/access_scope.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::AccessScope;

namespace {

void CheckScope(const AccessScope& scope) {
  FUZZ_CHECK(!scope.type.empty() && !scope.name.empty());
  FUZZ_CHECK(std::is_sorted(scope.actions.begin(), scope.actions.end()));
  FUZZ_CHECK(std::adjacent_find(scope.actions.begin(), scope.actions.end()) == scope.actions.end());
  for (const std::string& action : scope.actions) FUZZ_CHECK(!action.empty() && scope.Allows(action));
  // The text goes into a quoted string of a challenge.
  const std::string text = scope.ToString();
  FUZZ_CHECK(std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"' && c != '\\';
  }));
  const auto again = AccessScope::Parse(text);
  FUZZ_CHECK(again.ok() && *again == scope);
}

void CheckOne(absl::string_view input) {
  const auto scope = AccessScope::Parse(input);
  if (!scope.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(scope.status()));
    entrepot::fuzz::CheckMessage(scope.status());
    return;
  }
  CheckScope(*scope);
  FUZZ_CHECK(scope->ToString().size() <= input.size());
  const auto list = entrepot::ParseAccessScopes(input);
  FUZZ_CHECK(list.ok() && list->size() == 1 && list->front() == *scope);
}

}  // namespace

FUZZ_TARGET(input) {
  CheckOne(input);
  const auto scopes = entrepot::ParseAccessScopes(input);
  if (!scopes.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(scopes.status()));
    entrepot::fuzz::CheckMessage(scopes.status());
    return;
  }
  FUZZ_CHECK(scopes->size() <= entrepot::kAccessScopesMax);
  std::vector<std::string> names;
  for (const AccessScope& scope : *scopes) {
    FUZZ_CHECK(!scope.type.empty() && !scope.name.empty());
    names.push_back(absl::StrCat(scope.type, " ", scope.name));
  }
  std::sort(names.begin(), names.end());
  FUZZ_CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}
