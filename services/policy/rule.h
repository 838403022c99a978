#ifndef ENTREPOT_SERVICES_POLICY_RULE_H_
#define ENTREPOT_SERVICES_POLICY_RULE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// The parts that all rules of a policy have in common: the actions that they allow, and the names by which messages
// refer to them.
namespace entrepot::policy {

enum class Action { kPull, kPush, kDelete };

// "pull"
absl::string_view ActionName(Action action);
// The inverse; nullopt for any other text.
std::optional<Action> ActionByName(absl::string_view name);

// How messages refer to a rule: `rule 2 ("ci pushes") of policy.yaml`, or for a list other than `rules`:
// `immutable_tags rule 1 ("releases") of policy.yaml`. Numbers begin at 1; `name` may be empty.
std::string DescribeRule(absl::string_view list, size_t number, absl::string_view name, absl::string_view file_name);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_RULE_H_
