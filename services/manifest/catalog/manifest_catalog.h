#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_CATALOG_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/catalog_metrics.h"
#include "services/manifest/catalog/deletion_condition.h"
#include "services/manifest/catalog/repository_reads.h"
#include "services/manifest/catalog/tag_guard.h"

namespace entrepot::manifest {

// The catalog's manifests with their tags, references and referrers. The calls are RegistryCatalog's. Thread-safe.
class ManifestRecords {
 public:
  // All must outlive it.
  ManifestRecords(kv::KvEngine* kv, const Clock* clock, const PolicyProvider* policy, const RepositoryReads* reads,
                  CatalogMetrics* metrics)
      : kv_(kv), clock_(clock), policy_(policy), reads_(reads), metrics_(metrics) {}

  absl::StatusOr<ManifestPutResult> Put(const Caller& caller, const RepositoryName& repository, const ManifestPut& put);
  absl::StatusOr<StoredManifest> Get(const Caller& caller, const RepositoryName& repository, const Reference& reference,
                                     bool metadata_only);
  absl::Status Delete(const Caller& caller, const RepositoryName& repository, const Reference& reference,
                      const DeletionCondition& condition);

 private:
  absl::StatusOr<ManifestPutResult> PutUncounted(const Caller& caller, const RepositoryName& repository,
                                                 const ManifestPut& put);
  absl::StatusOr<StoredManifest> GetByDigest(const Caller& caller, const RepositoryName& repository,
                                             const Digest& digest, bool metadata_only);
  absl::StatusOr<StoredManifest> GetByTag(const Caller& caller, const RepositoryName& repository, const Tag& tag,
                                          bool metadata_only);
  // A record, and where the caller's right to it needs looking at, that in the same read.
  absl::StatusOr<std::optional<std::string>> ReadFor(const Caller& caller, const RepositoryName& repository,
                                                     const std::string& key);
  absl::Status DeleteTag(const Caller& caller, const RepositoryName& repository, const Tag& tag,
                         const DeletionCondition& condition);
  absl::Status DeleteByDigest(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                              const DeletionCondition& condition);

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  const PolicyProvider* const policy_;
  const RepositoryReads* const reads_;
  CatalogMetrics* const metrics_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_CATALOG_H_
