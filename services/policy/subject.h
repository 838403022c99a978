#ifndef ENTREPOT_SERVICES_POLICY_SUBJECT_H_
#define ENTREPOT_SERVICES_POLICY_SUBJECT_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace entrepot::policy {

// Words with a meaning in a policy file's lists of subjects.
inline constexpr char kAnyone[] = "anyone";
inline constexpr char kAuthenticated[] = "authenticated";
inline constexpr char kGroupPrefix[] = "group:";
// Prefixes of the accounts of robots and of workload identities.
inline constexpr char kRobotPrefix[] = "robot+";
inline constexpr char kWorkloadPrefix[] = "oidc+";

// The account that a decision is about, with its groups. Robots and workload identities have scopes of their own; of
// the policy's rules only those for "anyone" and "authenticated", and those that name the account, apply to them.
struct Subject {
  std::string account;              // Empty if the caller is anonymous.
  std::vector<std::string> groups;  // In addition to the groups that the policy file puts the account in.
};

// Whether the account is a robot or a workload identity.
bool IsMachine(absl::string_view account);

// The groups that a policy file defines, by account.
using GroupMembership = absl::flat_hash_map<std::string, absl::flat_hash_set<std::string>>;

// The subjects that a rule applies to.
class SubjectSet {
 public:
  // Adds a subject as a policy file names it: "ci", "group:ops", "authenticated", "anyone".
  void Add(absl::string_view subject);

  bool Contains(const Subject& subject, const GroupMembership& membership) const;

 private:
  bool anyone_ = false;
  bool authenticated_ = false;
  absl::flat_hash_set<std::string> accounts_;
  absl::flat_hash_set<std::string> groups_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_SUBJECT_H_
