#ifndef ENTREPOT_SERVICES_POLICY_RULE_DESCRIPTION_H_
#define ENTREPOT_SERVICES_POLICY_RULE_DESCRIPTION_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace entrepot::policy {

// What people find a rule by: `rule 2 ("ci pushes") of policy.yaml`; of another list than `rules`:
// `immutable_tags rule 1 ("releases") of policy.yaml`. Numbers begin at 1; `name` may be empty.
std::string DescribeRule(absl::string_view list, size_t number, absl::string_view name, absl::string_view file_name);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_RULE_DESCRIPTION_H_
