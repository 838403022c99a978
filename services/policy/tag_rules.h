#ifndef ENTREPOT_SERVICES_POLICY_TAG_RULES_H_
#define ENTREPOT_SERVICES_POLICY_TAG_RULES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"

namespace entrepot::policy {

// What a policy says of tags, whatever its rules allow. Immutable and thread-safe.
class TagRules {
 public:
  // Why nobody may move or delete the tag, once it is there; nullopt where nothing forbids it.
  std::optional<std::string> Immutable(const RepositoryName& repository, const Tag& tag) const;
  // The same for one account.
  std::optional<std::string> CreateOnly(absl::string_view account, const RepositoryName& repository,
                                        const Tag& tag) const;
  // Whether a tag of the repository could be immutable: without that a transaction has nothing to look for.
  bool MayBeImmutable(const RepositoryName& repository) const;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_TAG_RULES_H_
