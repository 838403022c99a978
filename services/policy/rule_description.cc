#include "services/policy/rule_description.h"

#include "absl/strings/str_cat.h"

namespace entrepot::policy {

std::string DescribeRule(absl::string_view list, size_t number, absl::string_view name, absl::string_view file_name) {
  return absl::StrCat(list == "rules" ? "" : absl::StrCat(list, " "), "rule ", number,
                      name.empty() ? "" : absl::StrCat(" (\"", name, "\")"), " of ", file_name);
}

}  // namespace entrepot::policy
