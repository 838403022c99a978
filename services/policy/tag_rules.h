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

// What a policy says of tags, whatever its rules allow. Immutable and thread-safe.
class TagRules {
 public:
  // None.
  TagRules() = default;
  // Of a file that CheckPolicy() found no fault with. `membership`: the file's groups.
  TagRules(const config::v1::Policy& file, absl::string_view file_name,
           std::shared_ptr<const GroupMembership> membership);

  // Why nobody may move or delete the tag, once it is there: `immutable_tags rule 1 ("releases") of policy.yaml`;
  // nullopt where nothing forbids it.
  std::optional<std::string> Immutable(const RepositoryName& repository, const Tag& tag) const;
  // The same for one subject.
  std::optional<std::string> CreateOnly(const Subject& subject, const RepositoryName& repository, const Tag& tag) const;
  // Whether a tag of the repository could be immutable: without that a transaction has nothing to look for.
  bool MayBeImmutable(const RepositoryName& repository) const;
  // For people, each rule that binds the subject's tags there: `immutable_tags rule 1 ("releases") of policy.yaml:
  // release-*`.
  std::vector<std::string> Describe(const Subject& subject, const RepositoryName& repository) const;

 private:
  struct Rule {
    // For people.
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
