#include "services/policy/subject.h"

#include "absl/strings/match.h"

namespace entrepot::policy {

bool IsMachine(absl::string_view account) {
  return absl::StartsWith(account, kRobotPrefix) || absl::StartsWith(account, kWorkloadPrefix);
}

}  // namespace entrepot::policy
