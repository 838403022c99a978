#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_REPOSITORY_RETENTION_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_REPOSITORY_RETENTION_H_

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/retention.pb.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/time/pace.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/deletion_condition.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/retention/repository_content.h"

namespace entrepot::manifest {

// One rule applied to one repository: tags first, then manifests, each with what goes because it went. A dry run goes
// the same way, but for the last step of each deletion.
class RepositoryRetention {
 public:
  struct Outcome {
    std::function<void(const std::string& what, const std::string& reason)> tag_removed;
    std::function<void(const std::string& what, const std::string& reason)> manifest_removed;
    std::function<void()> kept_immutable;
  };
  struct Settings {
    kv::KvEngine* kv = nullptr;
    RegistryCatalog* catalog = nullptr;
    const config::v1::RetentionRule* rule = nullptr;
    // "rule 2".
    std::string rule_name;
    absl::Time now;
    absl::Time pulls_known_since;
    bool dry_run = false;
    const Pace* pace = nullptr;
  };

  // All that is referred to outlives it.
  RepositoryRetention(const Settings& settings, const RepositoryName* repository, const Outcome* outcome)
      : settings_(settings), repository_(*repository), outcome_(*outcome) {}

  absl::Status Run() &&;

 private:
  void Index();
  absl::Status RemoveTags();
  absl::Status RemoveManifests();

  absl::Status TryTag(const TagState& tag, const DeletionCondition& condition, const std::string& reason);
  absl::Status TryReferrerTag(const TagState& tag, const Digest& subject);
  absl::Status TryManifest(const Digest& digest);
  absl::Status Removed(const Digest& digest);
  // true where it is gone now, or would be.
  absl::StatusOr<bool> Delete(const Reference& reference, const DeletionCondition& condition);

  DeletionCondition TagUnchanged(const TagState& tag) const;
  DeletionCondition StillUnneeded(const Digest& digest, const ManifestState& manifest) const;
  bool IsThere(const Digest& manifest) const;
  // An index that lists the manifest and is there.
  absl::StatusOr<bool> IsListed(const Digest& digest);
  std::string Reason(absl::string_view why) const;

  const Settings settings_;
  const RepositoryName& repository_;
  const Outcome& outcome_;
  RepositoryContent content_;
  std::map<Digest, size_t> tag_counts_;
  std::multimap<Digest, Digest> referrers_;
  std::multimap<Digest, const TagState*> referrer_tags_;
  // By an index that keeps them: manifests that could go if it went.
  std::multimap<Digest, Digest> waiting_;
  std::set<Digest> removed_;
  std::deque<Digest> to_look_at_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_REPOSITORY_RETENTION_H_
