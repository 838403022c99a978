#ifndef ENTREPOT_SERVICES_POLICY_SUBJECT_H_
#define ENTREPOT_SERVICES_POLICY_SUBJECT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entrepot::policy {

inline constexpr char kAnyone[] = "anyone";
inline constexpr char kAuthenticated[] = "authenticated";
inline constexpr char kGroupPrefix[] = "group:";
// A robot's account, a workload identity's.
inline constexpr char kRobotPrefix[] = "robot+";
inline constexpr char kWorkloadPrefix[] = "oidc+";

// Who asks. Robots and workload identities have scopes of their own; of the policy's rules only those for "anyone" and
// "authenticated", and those that name them, apply to them.
struct Subject {
  std::string account;              // Empty: anonymous.
  std::vector<std::string> groups;  // Besides those that the policy file itself puts the account in.
};

// Whether the account is a robot's or a workload identity's.
bool IsMachine(absl::string_view account);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_SUBJECT_H_
