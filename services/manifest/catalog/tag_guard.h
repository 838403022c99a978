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

// The policy in force now; null where there is none.
using PolicyProvider = std::function<std::shared_ptr<const policy::Policy>()>;

// What the rules of tags forbid to one call on one repository: DENIED, with a message that names the tag and a detail
// that names the rule. The rules are those in force when it was made. All within transactions; see there for the locks
// that keep the answers true (catalog_locks.h).
//
// A manifest is held by its immutable tags, and by every index of its repository that lists it and is held; a blob by
// the manifests of its repository that need it. What is held is not removed.
class TagGuard {
 public:
  // Manifests that are looked at on the way up from what is to be removed. Where there are more, it is not removed.
  static constexpr size_t kHoldersMax = 10'000;

  // Both must outlive it.
  TagGuard(const PolicyProvider& policy, const Caller* caller, const RepositoryName* repository);

  bool IsImmutable(const Tag& tag) const;
  // Of a tag that is to name `manifest`: to make it, or to push it once more as it is, is always allowed.
  absl::Status CheckPush(kv::KvReader& transaction, const Tag& tag, const Digest& manifest) const;
  absl::Status CheckDeletion(const Tag& tag) const { return CheckChange(tag, "deleted"); }
  // Of the manifest with its tags, which are `tags`.
  absl::Status CheckDeletionOf(kv::KvReader& transaction, const Digest& manifest, const std::set<Tag>& tags) const;
  absl::Status CheckUnlinkOf(kv::KvReader& transaction, const Digest& blob) const;
  // Of the whole repository.
  absl::Status CheckDeletionOfAll(kv::KvReader& kv) const;

 private:
  const policy::TagRules& rules() const { return policy_->tag_rules(); }
  bool MayHold() const;
  absl::Status CheckChange(const Tag& tag, absl::string_view change) const;
  // DENIED where one of the manifests is held.
  absl::Status CheckNotHeld(kv::KvReader& transaction, std::set<Digest> manifests, const Digest& removed) const;
  absl::StatusOr<std::set<Digest>> NeededBy(kv::KvReader& transaction, const Digest& digest) const;

  const std::shared_ptr<const policy::Policy> policy_;
  const Caller& caller_;
  const RepositoryName& repository_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_TAG_GUARD_H_
