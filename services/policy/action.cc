#include "services/policy/action.h"

namespace entrepot::policy {

absl::string_view ActionName(Action action) {
  switch (action) {
    case Action::kPull:
      return "pull";
    case Action::kPush:
      return "push";
    case Action::kDelete:
      return "delete";
  }
  return "";
}

std::optional<Action> ActionByName(absl::string_view name) {
  for (const Action action : {Action::kPull, Action::kPush, Action::kDelete}) {
    if (name == ActionName(action)) return action;
  }
  return std::nullopt;
}

}  // namespace entrepot::policy
