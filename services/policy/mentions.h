#ifndef ENTREPOT_SERVICES_POLICY_MENTIONS_H_
#define ENTREPOT_SERVICES_POLICY_MENTIONS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/policy.pb.h"
#include "services/runtime/config/config_problems.h"

namespace entrepot::policy {

// An account ("ci", "robot+deploy", "oidc+cluster:…") that a policy file names, or a group ("group:ops") that it
// defines.
struct Mention {
  std::string place;  // "policy.yaml:7: rules[0].subjects[1]"
  std::string subject;
};

// In the order of the fields. `problems` knows the lines of the file. Mentions with a problem, or with one in a part
// that they depend on, are left out: what else is wrong with them is not known.
std::vector<Mention> MentionsIn(const config::v1::Policy& file, absl::string_view file_name,
                                const runtime::ConfigProblems& problems);

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_MENTIONS_H_
