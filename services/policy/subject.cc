#include "services/policy/subject.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace entrepot::policy {

bool IsMachine(absl::string_view account) {
  return absl::StartsWith(account, kRobotPrefix) || absl::StartsWith(account, kWorkloadPrefix);
}

void SubjectSet::Add(absl::string_view subject) {
  if (subject == kAnyone) {
    anyone_ = true;
  } else if (subject == kAuthenticated) {
    authenticated_ = true;
  } else if (absl::ConsumePrefix(&subject, kGroupPrefix)) {
    groups_.insert(std::string(subject));
  } else {
    accounts_.insert(std::string(subject));
  }
}

bool SubjectSet::Contains(const Subject& subject, const GroupMembership& membership) const {
  if (anyone_) return true;
  if (subject.account.empty()) return false;
  if (authenticated_ || accounts_.contains(subject.account)) return true;
  if (groups_.empty() || IsMachine(subject.account)) return false;
  const auto is_meant = [this](const std::string& group) { return groups_.contains(group); };
  if (std::any_of(subject.groups.begin(), subject.groups.end(), is_meant)) return true;
  const auto own = membership.find(subject.account);
  return own != membership.end() && std::any_of(own->second.begin(), own->second.end(), is_meant);
}

}  // namespace entrepot::policy
