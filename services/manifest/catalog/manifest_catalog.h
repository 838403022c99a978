#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_CATALOG_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/preconditions.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/catalog_metrics.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/repository_reads.h"
#include "services/manifest/catalog/repository_remover.h"
#include "services/manifest/catalog/tag_guard.h"

namespace entrepot::manifest {

// What must be true at the moment when a tag or a manifest is deleted, for a caller that decided by what it read
// before.
struct DeletionCondition {
  // On what the reference names.
  Preconditions preconditions = {};
  // Manifests of the same repository that must neither appear nor disappear meanwhile.
  std::vector<Digest> manifests_held = {};
  // Called as the last step before the deletion, within its transaction, which holds exclusively what is deleted: a
  // tag, or a manifest with its tags. If it returns an error, nothing is deleted, and the deletion returns that error.
  // May be called more than once. If empty, there is no condition.
  std::function<absl::Status(kv::KvReader& transaction)> check = {};

  absl::Status Check(kv::KvReader& transaction, const Digest& named) const;
};

// The catalog's manifests with their tags, references and referrers. RegistryCatalog describes callers and status
// codes. Thread-safe.
class ManifestCatalog {
 public:
  // All pointers must outlive the ManifestCatalog. `pulls` may be null.
  struct Parts {
    kv::KvEngine* kv = nullptr;
    const Clock* clock = nullptr;
    // Called for each pull by tag, and for each pull from a cache.
    PullTimes* pulls = nullptr;
    const PolicyProvider* policy = nullptr;
    const RepositoryReads* reads = nullptr;
    RepositoryRemover* repositories = nullptr;
    CatalogMetrics* metrics = nullptr;
  };
  explicit ManifestCatalog(const Parts& parts)
      : kv_(parts.kv),
        clock_(parts.clock),
        pulls_(parts.pulls),
        policy_(parts.policy),
        reads_(parts.reads),
        repositories_(parts.repositories),
        metrics_(parts.metrics) {}

  // OCI distribution specification, "Pushing manifests". Every blob and manifest that the content refers to must be in
  // the repository, except its subject, non-distributable layers, and what the policy's incomplete_manifests allow; the
  // error's detail lists all that are missing. kFailedPrecondition (PRECONDITION_FAILED): put.preconditions do not
  // hold. Writes all tags or none.
  //
  // With put.cache_of the repository is a cache of that upstream, and is made as one if it does not exist. Then all
  // that the manifest refers to may be absent or have other sizes, media types in the content are not checked, and
  // rules on tags do not apply: tags follow the upstream. RepositoryWrite::Plan() has the errors of a push into a
  // repository of the other kind.
  absl::StatusOr<ManifestPutResult> Put(const Caller& caller, const RepositoryName& repository, const ManifestPut& put);
  // Leaves out the content if `metadata_only`. Never writes. With ReadTier::kMemory never waits for the disk: the
  // status is kv::NotInMemory() if it must be read.
  absl::StatusOr<StoredManifest> Get(const Caller& caller, const RepositoryName& repository, const Reference& reference,
                                     bool metadata_only, kv::ReadTier tier = kv::ReadTier::kDisk);
  // By digest: removes the manifest and its tags, and queues what it referred to for review. By tag: removes the tag.
  // An index that refers to the manifest does not prevent it, unless a protected tag (TagGuard) needs that index. If
  // `condition` does not hold within the transaction, removes nothing and returns the condition's error.
  absl::Status Delete(const Caller& caller, const RepositoryName& repository, const Reference& reference,
                      const DeletionCondition& condition = {});

 private:
  absl::StatusOr<ManifestPutResult> PutUncounted(const Caller& caller, const RepositoryName& repository,
                                                 const ManifestPut& put);
  absl::StatusOr<StoredManifest> GetByDigest(kv::KvReader& kv, const Caller& caller, const RepositoryName& repository,
                                             const Digest& digest, bool metadata_only);
  absl::StatusOr<StoredManifest> GetByTag(kv::KvReader& kv, const Caller& caller, const RepositoryName& repository,
                                          const Tag& tag, bool metadata_only);
  // Makes the answer from the value of the manifest's record, and notes the use of a manifest of a cache.
  absl::StatusOr<StoredManifest> Serve(const RepositoryName& repository, const Digest& digest, absl::string_view value,
                                       bool metadata_only);
  // Reads a record, and checks in the same read, if necessary, that the caller may see the repository.
  absl::StatusOr<std::optional<std::string>> ReadFor(kv::KvReader& kv, const Caller& caller,
                                                     const RepositoryName& repository, const std::string& key);
  absl::Status DeleteTag(const Caller& caller, const RepositoryName& repository, const Tag& tag,
                         const DeletionCondition& condition);
  absl::Status DeleteByDigest(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                              const DeletionCondition& condition);

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  PullTimes* const pulls_;
  const PolicyProvider* const policy_;
  const RepositoryReads* const reads_;
  RepositoryRemover* const repositories_;
  CatalogMetrics* const metrics_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_CATALOG_H_
