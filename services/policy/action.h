#ifndef ENTREPOT_SERVICES_POLICY_ACTION_H_
#define ENTREPOT_SERVICES_POLICY_ACTION_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace entrepot::policy {

enum class Action { kPull, kPush, kDelete };

// "pull"
absl::string_view ActionName(Action action);
// The inverse; nullopt for any other text.
std::optional<Action> ActionByName(absl::string_view name);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_ACTION_H_
