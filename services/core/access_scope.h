#ifndef ENTREPOT_SERVICES_CORE_ACCESS_SCOPE_H_
#define ENTREPOT_SERVICES_CORE_ACCESS_SCOPE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// What a token asks for or grants (Distribution's token specification, "Resource scope"):
// `type[(class)]:name:action[,action]`. The name may hold colons (a host's port), so the text is split at its first and
// its last one. A class is dropped: `repository(plugin)` is `repository`.
struct AccessScope {
  std::string type;                  // "repository", "registry"
  std::string name;                  // "driftwood/web", "catalog"
  std::vector<std::string> actions;  // "pull", "push", "delete", "*"; sorted, each once

  // kInvalidArgument for what is not of that form, holds anything but printable ASCII without blanks, `"` and `\`, or
  // is longer than 1024 bytes. An empty list of actions ("repository:a:") is allowed.
  static absl::StatusOr<AccessScope> Parse(absl::string_view text);

  // Whether it names that action or "*".
  bool Allows(absl::string_view action) const;

  std::string ToString() const;

  friend bool operator==(const AccessScope&, const AccessScope&) = default;
};

// The scopes of what is no repository: listing repositories, and administering the registry (entrepotctl), which only
// administrators are granted.
inline constexpr absl::string_view kCatalogScope = "registry:catalog:*";
inline constexpr absl::string_view kAdministrationScope = "registry:administration:*";

// Scopes separated by blanks, at most 100. Those of one type and name become one.
absl::StatusOr<std::vector<AccessScope>> ParseAccessScopes(absl::string_view text);
// The inverse.
std::string JoinAccessScopes(const std::vector<AccessScope>& scopes);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_ACCESS_SCOPE_H_
