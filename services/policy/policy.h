#ifndef ENTREPOT_SERVICES_POLICY_POLICY_H_
#define ENTREPOT_SERVICES_POLICY_POLICY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/policy.pb.h"
#include "services/core/repository_name.h"
#include "services/policy/incomplete_manifests.h"
#include "services/policy/mentions.h"
#include "services/policy/repository_pattern.h"
#include "services/policy/rule.h"
#include "services/policy/subject.h"
#include "services/policy/tag_rules.h"
#include "services/runtime/config/config_problems.h"

namespace entrepot::policy {

struct Decision {
  bool allowed = false;
  // For messages: `rule 2 ("ci pushes") of policy.yaml allows it`; if it is denied, `no rule of policy.yaml allows it`,
  // or what the rules that apply allow instead: `rule 1 ("prod pulls") of policy.yaml allows only pull`. Only rules
  // that apply to the subject are named.
  std::string reason;
};

// What a policy file contains, also if it has mistakes.
struct InspectedPolicy {
  // The result of Policy::Parse().
  absl::Status status;
  // Without values that cannot be read.
  config::v1::Policy file;
  // See Policy::mentions(). Those that are mistakes, or may follow from one, are left out.
  std::vector<Mention> mentions;
};

// The rules of a policy file (proto/entrepot/config/v1/policy.proto), checked as a whole. Immutable and thread-safe.
class Policy {
 public:
  // kInvalidArgument: the file has problems; the message has one line per problem, each with the file's name, the line
  // and the field: "policy.yaml:7: rules[0].actions[1]: …".
  static absl::StatusOr<std::shared_ptr<const Policy>> Parse(absl::string_view yaml_text, absl::string_view file_name);

  // The same for a registry without accounts: also refuses a file that names subjects, because such rules would have no
  // effect.
  static absl::StatusOr<std::shared_ptr<const Policy>> ParseWithoutAccounts(absl::string_view yaml_text,
                                                                            absl::string_view file_name);

  // For showing everything about a file at once: its mistakes, and what else is odd.
  static InspectedPolicy Inspect(absl::string_view yaml_text, absl::string_view file_name);

  bool IsAdministrator(const Subject& subject) const;
  // The first rule that allows the action decides. Administrators may do everything. An action that no rule allows is
  // denied.
  Decision Decide(const Subject& subject, Action action, const RepositoryName& repository) const;
  // Whether the file has rules that have no effect in a registry without accounts.
  bool NeedsAccounts() const;
  // The repositories that the catalog shows to the subject: the patterns of all rules that let it pull, each once.
  std::vector<RepositoryPattern> ReadableRepositories(const Subject& subject) const;
  // The groups that the file puts the account into, in order.
  std::vector<std::string> GroupsOf(absl::string_view account) const;

  // The rules on tags, which apply whatever else is allowed. They live as long as the policy.
  const TagRules& tag_rules() const { return tag_rules_; }
  // Which repositories accept incomplete manifests. Lives as long as the policy.
  const IncompleteManifests& incomplete_manifests() const { return incomplete_manifests_; }
  // The accounts and groups that the file names, in the order of its fields; groups where they are defined.
  const std::vector<Mention>& mentions() const { return mentions_; }
  // The file as it was read: entrepotctl shows its groups, the auth service uses its identity providers.
  const config::v1::Policy& file() const { return file_; }

 private:
  struct Rule {
    // For messages (DescribeRule).
    std::string description;
    SubjectSet subjects;
    std::vector<RepositoryPattern> repositories;
    absl::flat_hash_set<Action> actions;
  };

  // The file must have passed CheckPolicy().
  Policy(config::v1::Policy file, absl::string_view file_name, std::vector<Mention> mentions);
  // The reason of a denial; the same for every action that is denied.
  std::string WhyDenied(const Subject& subject, const RepositoryName& repository) const;

  using Check = absl::FunctionRef<void(const config::v1::Policy& file, runtime::ConfigProblems* problems)>;
  static absl::StatusOr<std::shared_ptr<const Policy>> Read(absl::string_view yaml_text, absl::string_view file_name,
                                                            Check check);
  static InspectedPolicy Inspect(absl::string_view yaml_text, absl::string_view file_name, Check check);
  static Rule ReadRule(const config::v1::Policy::Rule& rule, std::string description);

  const config::v1::Policy file_;
  const std::string file_name_;
  const std::vector<Mention> mentions_;
  const std::shared_ptr<const GroupMembership> membership_;
  const TagRules tag_rules_;
  const IncompleteManifests incomplete_manifests_;
  SubjectSet administrators_;
  std::vector<Rule> rules_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_POLICY_H_
