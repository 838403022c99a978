#ifndef ENTREPOT_SERVICES_CORE_ACCESS_SCOPE_H_
#define ENTREPOT_SERVICES_CORE_ACCESS_SCOPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// An access that a token requests or grants (Distribution's token specification, "Resource scope"):
// `type[(class)]:name:action[,action]`. The name may contain colons (before a host's port), so the text is split at its
// first and its last colon. A class is dropped: `repository(plugin)` is `repository`.
struct AccessScope {
  std::string type;                  // "repository", "registry"
  std::string name;                  // "driftwood/web", "catalog"
  std::vector<std::string> actions;  // "pull", "push", "delete", "*"; sorted, each once

  // kInvalidArgument if the text has another form, contains anything but printable ASCII without blanks, `"` and `\`,
  // or is longer than 1024 bytes. An empty list of actions ("repository:a:") is valid.
  static absl::StatusOr<AccessScope> Parse(absl::string_view text);

  // Whether `actions` contains that action or "*".
  bool Allows(absl::string_view action) const;

  std::string ToString() const;

  friend bool operator==(const AccessScope&, const AccessScope&) = default;
};

// Scopes that are not of a repository: listing repositories, and administering the registry (entrepotctl). Only
// administrators are granted them.
inline constexpr absl::string_view kCatalogScope = "registry:catalog:*";
inline constexpr absl::string_view kAdministrationScope = "registry:administration:*";

inline constexpr uint32_t kAccessScopesMax = 10'000;
// Parses scopes separated by blanks, at most kAccessScopesMax. Scopes of the same type and name are joined.
absl::StatusOr<std::vector<AccessScope>> ParseAccessScopes(absl::string_view text);
// The inverse of ParseAccessScopes().
std::string JoinAccessScopes(const std::vector<AccessScope>& scopes);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_ACCESS_SCOPE_H_
