#ifndef ENTREPOT_SERVICES_POLICY_UNKNOWN_SUBJECTS_H_
#define ENTREPOT_SERVICES_POLICY_UNKNOWN_SUBJECTS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/policy.pb.h"
#include "services/policy/mentions.h"

namespace entrepot::policy {

// The accounts and members of groups that exist besides the policy file.
struct KnownSubjects {
  // What has them: "the registry", "accounts.htpasswd".
  std::string source;
  // Whether there is this user ("ci") or robot ("robot+deploy").
  std::function<bool(absl::string_view account)> has_account;
  // Whether the group ("ops") has members in addition to those in the policy file.
  std::function<bool(absl::string_view group)> has_members;
};

// A line for each account that the policy names and that nobody can have, and for each group without members:
// "policy.yaml:7: rules[0].subjects[1]: accounts.htpasswd has no user "prd"". They are not mistakes: the account may be
// created later. The accounts of identity providers exist if the policy has the provider.
// `mentions` are those in the file (Policy::mentions(), Policy::Inspect()).
std::vector<std::string> FindUnknownSubjects(const config::v1::Policy& file, const std::vector<Mention>& mentions,
                                             const KnownSubjects& known);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_UNKNOWN_SUBJECTS_H_
