#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_TAG_GUARD_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_TAG_GUARD_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

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
// A tag is protected from a caller if it is immutable, or if the caller may only create it. A manifest is needed by its
// protected tags, and by each index of its repository that lists it and is needed itself; a blob by the needed
// manifests of its repository that refer to it. The caller cannot remove a needed manifest or blob, also if it arrived
// after the tag. A manifest does not need its subject, which may be missing.
class TagGuard {
 public:
  // How many manifests and indexes a check visits above the one that is to be removed. If there are more, the removal
  // is DENIED.
  static constexpr size_t kVisitedMax = 10'000;

  // `repository` must outlive the TagGuard.
  TagGuard(const PolicyProvider& policy, const Caller& caller, const RepositoryName* repository);

  // Whether a tag of the repository may be protected from any caller, not only from this one.
  bool MayProtectFromAny() const;
  // Checks a push of `manifest` by the tag. Making a tag, and pushing the manifest that it names already, are allowed.
  absl::Status CheckPush(kv::KvReader& transaction, const Tag& tag, const Digest& manifest) const;
  absl::Status CheckDeletion(const Tag& tag) const { return CheckChange(tag, "it cannot be deleted"); }
  // Checks the deletion of a manifest with its tags; `tags` are all of them.
  absl::Status CheckDeletionOf(kv::KvReader& transaction, const Digest& manifest, const std::set<Tag>& tags) const;
  absl::Status CheckUnlinkOf(kv::KvReader& transaction, const Digest& blob) const;
  // Checks the deletion of the whole repository.
  absl::Status CheckDeletionOfAll(kv::KvReader& kv) const;

 private:
  struct Protection {
    // For messages.
    std::string rule;
    bool is_immutable = false;
  };

  const policy::TagRules& rules() const { return policy_->tag_rules(); }
  // Whether a tag of the repository may be protected from the caller.
  bool MayProtect() const;
  // nullopt if the tag is not protected from the caller.
  std::optional<Protection> ProtectionOf(const Tag& tag) const;
  // DENIED with the consequence ("it cannot be deleted") if the tag is protected from the caller.
  absl::Status CheckChange(const Tag& tag, absl::string_view consequence) const;
  // DENIED if a protected tag needs one of the manifests.
  absl::Status CheckNotNeeded(kv::KvReader& transaction, std::set<Digest> manifests, const Digest& removed) const;
  absl::StatusOr<std::set<Digest>> ManifestsReferringTo(kv::KvReader& transaction, const Digest& digest) const;

  const std::shared_ptr<const policy::Policy> policy_;
  const policy::Subject caller_;
  const RepositoryName& repository_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_TAG_GUARD_H_
