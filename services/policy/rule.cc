#include "services/policy/rule.h"

#include "absl/strings/str_cat.h"

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

std::string DescribeRule(absl::string_view list, size_t number, absl::string_view name, absl::string_view file_name) {
  return absl::StrCat(list == "rules" ? "" : absl::StrCat(list, " "), "rule ", number,
                      name.empty() ? "" : absl::StrCat(" (\"", name, "\")"), " of ", file_name);
}

}  // namespace entrepot::policy
