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
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/manifest_catalog.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/retention/repository_content.h"

namespace entrepot::manifest {

// Applies one rule to one repository: removes tags and then manifests, each with the referrers and tags that belong to
// it. A dry run does the same except for the last step of each deletion.
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

  // All pointers must outlive the RepositoryRetention.
  RepositoryRetention(const Settings& settings, const RepositoryName* repository, const Outcome* outcome)
      : settings_(settings), repository_(*repository), outcome_(*outcome) {}

  // Goes on after a failure, and returns the first one.
  absl::Status Run() &&;

 private:
  void Index();
  absl::Status RemoveTags();
  absl::Status RemoveManifests();

  absl::Status TryTag(const TagState& tag, const DeletionCondition& condition, const std::string& reason);
  absl::Status TryReferrerTag(const TagState& tag, const Digest& subject);
  absl::Status TryManifest(const Digest& digest);
  // Notes that the manifest was removed, and queues the manifests that may be removed because of that.
  absl::Status Removed(const Digest& digest);
  // Returns whether the tag or manifest was removed, or would be without the dry run. A failure is noted in
  // first_failure_. kCancelled: the pace ended the work.
  absl::StatusOr<bool> Delete(const Reference& reference, const DeletionCondition& condition);

  DeletionCondition TagUnchanged(const TagState& tag) const;
  DeletionCondition StillUnneeded(const Digest& digest, const ManifestState& manifest) const;
  bool Exists(const Digest& manifest) const;
  // Whether an index that is not removed lists the manifest.
  absl::StatusOr<bool> IsListed(const Digest& digest);
  std::string Reason(absl::string_view why) const;

  const Settings settings_;
  const RepositoryName& repository_;
  const Outcome& outcome_;
  RepositoryContent content_;
  std::map<Digest, size_t> tag_counts_;
  std::multimap<Digest, Digest> referrers_;
  std::multimap<Digest, const TagState*> referrer_tags_;
  // By index: manifests that are kept only because the index lists them.
  std::multimap<Digest, Digest> waiting_;
  std::set<Digest> removed_;
  std::deque<Digest> to_visit_;
  absl::Status first_failure_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_REPOSITORY_RETENTION_H_
