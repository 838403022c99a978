#ifndef ENTREPOT_SERVICES_POLICY_SUBJECT_SET_H_
#define ENTREPOT_SERVICES_POLICY_SUBJECT_SET_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "services/policy/subject.h"

namespace entrepot::policy {

// The groups that a policy file has, by account.
using GroupMembership = absl::flat_hash_map<std::string, absl::flat_hash_set<std::string>>;

// Whom a rule is for.
class SubjectSet {
 public:
  // As a policy file has it: "ci", "group:ops", "authenticated", "anyone".
  void Add(absl::string_view subject);

  bool Contains(const Subject& subject, const GroupMembership& membership) const;

 private:
  bool anyone_ = false;
  bool authenticated_ = false;
  absl::flat_hash_set<std::string> accounts_;
  absl::flat_hash_set<std::string> groups_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_SUBJECT_SET_H_
