#include "services/core/access_scope.h"

#include <algorithm>
#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot {
namespace {

constexpr size_t kScopeBytesMax = 1024;

bool IsScopeByte(char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"' && c != '\\'; }

absl::Status NoScope(absl::string_view text, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("the scope ", QuotedInput(text), " ", problem));
}

bool IsTypeName(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

// The type in `type` or `type(class)`; empty if the text has another form.
absl::string_view TypeWithoutClass(absl::string_view text) {
  absl::string_view type = text;
  const size_t open = text.find('(');
  if (open != absl::string_view::npos) {
    if (!absl::EndsWith(text, ")") || !IsTypeName(text.substr(open + 1, text.size() - open - 2))) return "";
    type = text.substr(0, open);
  }
  return IsTypeName(type) ? type : "";
}

void SortActions(std::vector<std::string>* actions) {
  std::sort(actions->begin(), actions->end());
  actions->erase(std::unique(actions->begin(), actions->end()), actions->end());
}

void AddActions(const std::vector<std::string>& more, std::vector<std::string>* actions) {
  actions->insert(actions->end(), more.begin(), more.end());
  SortActions(actions);
}

}  // namespace

absl::StatusOr<AccessScope> AccessScope::Parse(absl::string_view text) {
  if (text.size() > kScopeBytesMax) return NoScope(text, absl::StrCat("is longer than ", kScopeBytesMax, " bytes"));
  if (!std::all_of(text.begin(), text.end(), IsScopeByte)) {
    return NoScope(text, "contains a blank, a quote, a backslash, or a character that is not printable ASCII");
  }
  const size_t first = text.find(':');
  const size_t last = text.rfind(':');
  if (first == last) return NoScope(text, "is not of the form type:name:actions");

  AccessScope scope;
  scope.type = std::string(TypeWithoutClass(text.substr(0, first)));
  if (scope.type.empty()) return NoScope(text, "does not start with a type or type(class)");
  scope.name = std::string(text.substr(first + 1, last - first - 1));
  if (scope.name.empty()) return NoScope(text, "has no name");
  scope.actions = absl::StrSplit(text.substr(last + 1), ',', absl::SkipEmpty());
  SortActions(&scope.actions);
  return scope;
}

bool AccessScope::Allows(absl::string_view action) const {
  return std::any_of(actions.begin(), actions.end(),
                     [&](const std::string& allowed) { return allowed == action || allowed == "*"; });
}

std::string AccessScope::ToString() const { return absl::StrCat(type, ":", name, ":", absl::StrJoin(actions, ",")); }

absl::StatusOr<std::vector<AccessScope>> ParseAccessScopes(absl::string_view text) {
  std::vector<AccessScope> scopes;
  absl::flat_hash_map<std::string, size_t> positions;  // By type and name.
  size_t count = 0;
  for (const absl::string_view part : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (++count > kAccessScopesMax) {
      return absl::InvalidArgumentError(absl::StrCat("more than ", kAccessScopesMax, " scopes"));
    }
    ASSIGN_OR_RETURN(AccessScope scope, AccessScope::Parse(part));
    const auto [same, is_new] = positions.emplace(absl::StrCat(scope.type, ":", scope.name), scopes.size());
    if (is_new) {
      scopes.push_back(std::move(scope));
    } else {
      AddActions(scope.actions, &scopes[same->second].actions);
    }
  }
  return scopes;
}

std::string JoinAccessScopes(const std::vector<AccessScope>& scopes) {
  return absl::StrJoin(scopes, " ",
                       [](std::string* out, const AccessScope& scope) { absl::StrAppend(out, scope.ToString()); });
}

}  // namespace entrepot
