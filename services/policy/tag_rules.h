#ifndef ENTREPOT_SERVICES_POLICY_TAG_RULES_H_
#define ENTREPOT_SERVICES_POLICY_TAG_RULES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/policy.pb.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/policy/repository_pattern.h"
#include "services/policy/subject.h"

namespace entrepot::policy {

// The rules on tags of a policy file. They apply whatever the file's other rules allow. Immutable and thread-safe.
class TagRules {
 public:
  // No rules.
  TagRules() = default;
  // The file must have passed CheckPolicy(). `membership` are the file's groups.
  TagRules(const config::v1::Policy& file, absl::string_view file_name,
           std::shared_ptr<const GroupMembership> membership);

  // The rule that forbids all accounts to make the tag name another manifest, or to delete it, once it exists:
  // `immutable_tags rule 1 ("releases") of policy.yaml`. nullopt if there is none.
  std::optional<std::string> Immutable(const RepositoryName& repository, const Tag& tag) const;
  // The same for the rules that apply to one subject.
  std::optional<std::string> CreateOnly(const Subject& subject, const RepositoryName& repository, const Tag& tag) const;
  // Whether Immutable() or CreateOnly() could name a rule for a tag of the repository. If not, a transaction need not
  // check any.
  bool MayForbid(const Subject& subject, const RepositoryName& repository) const;
  // The same for any subject.
  bool MayForbidAny(const RepositoryName& repository) const;
  // For messages: every rule that applies to the subject's tags in the repository: `immutable_tags rule 1 ("releases")
  // of policy.yaml: release-*`.
  std::vector<std::string> Describe(const Subject& subject, const RepositoryName& repository) const;

 private:
  struct Rule {
    // For messages (DescribeRule).
    std::string description;
    SubjectSet subjects;
    std::vector<RepositoryPattern> repositories;
    std::vector<std::string> tags;
  };

  using FileRules = google::protobuf::RepeatedPtrField<config::v1::Policy::TagRule>;
  static std::vector<Rule> Read(const FileRules& rules, absl::string_view list, absl::string_view file_name);
  static bool Covers(const Rule& rule, const RepositoryName& repository);
  static bool Covers(const Rule& rule, const RepositoryName& repository, const Tag& tag);

  std::shared_ptr<const GroupMembership> membership_;
  std::vector<Rule> immutable_;
  std::vector<Rule> create_only_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_TAG_RULES_H_
