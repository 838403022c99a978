#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_TAG_GUARD_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_TAG_GUARD_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/core/caller.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"
#include "services/policy/policy.h"

namespace entrepot::manifest {

// Returns the policy in force now; null if there is none.
using PolicyProvider = std::function<std::shared_ptr<const policy::Policy>()>;

// Checks one call on one repository against the tag rules that were in force when the TagGuard was made. A forbidden
// change is DENIED, with a message that names the tag and a detail that names the rule. The checks run within
// transactions; records/catalog_locks.h describes the locks that keep their results true.
//
// A manifest is needed by its immutable tags, and by each index of its repository that lists it and is needed itself; a
// blob by the needed manifests of its repository that refer to it. A needed manifest or blob cannot be removed.
class TagGuard {
 public:
  // How many manifests and indexes a check visits above the one that is to be removed. If there are more, the removal
  // is DENIED.
  static constexpr size_t kVisitedMax = 10'000;

  // `caller` and `repository` must outlive the TagGuard.
  TagGuard(const PolicyProvider& policy, const Caller* caller, const RepositoryName* repository);

  bool IsImmutable(const Tag& tag) const;
  // Checks a push of `manifest` by the tag. Making a tag, and pushing the manifest that it names already, are allowed.
  absl::Status CheckPush(kv::KvReader& transaction, const Tag& tag, const Digest& manifest) const;
  absl::Status CheckDeletion(const Tag& tag) const { return CheckChange(tag, "deleted"); }
  // Checks the deletion of a manifest with its tags; `tags` are all of them.
  absl::Status CheckDeletionOf(kv::KvReader& transaction, const Digest& manifest, const std::set<Tag>& tags) const;
  absl::Status CheckUnlinkOf(kv::KvReader& transaction, const Digest& blob) const;
  // Checks the deletion of the whole repository.
  absl::Status CheckDeletionOfAll(kv::KvReader& kv) const;

 private:
  const policy::TagRules& rules() const { return policy_->tag_rules(); }
  bool MayHaveImmutableTags() const;
  absl::Status CheckChange(const Tag& tag, absl::string_view change) const;
  // DENIED if an immutable tag needs one of the manifests.
  absl::Status CheckNotNeeded(kv::KvReader& transaction, std::set<Digest> manifests, const Digest& removed) const;
  absl::StatusOr<std::set<Digest>> ManifestsReferringTo(kv::KvReader& transaction, const Digest& digest) const;

  const std::shared_ptr<const policy::Policy> policy_;
  const Caller& caller_;
  const RepositoryName& repository_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_TAG_GUARD_H_
