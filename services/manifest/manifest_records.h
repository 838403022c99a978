#ifndef ENTREPOT_SERVICES_MANIFEST_MANIFEST_RECORDS_H_
#define ENTREPOT_SERVICES_MANIFEST_MANIFEST_RECORDS_H_

#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/clock.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog_metrics.h"

namespace entrepot::manifest {

// The catalog's manifests with their tags, references and referrers. The calls are RegistryCatalog's. Thread-safe.
class ManifestRecords {
 public:
  // All must outlive it.
  ManifestRecords(kv::KvEngine* kv, const Clock* clock, CatalogMetrics* metrics)
      : kv_(kv), clock_(clock), metrics_(metrics) {}

  absl::StatusOr<ManifestPutResult> Put(const RepositoryName& repository, const ManifestPut& put);
  absl::StatusOr<StoredManifest> Get(const RepositoryName& repository, const Reference& reference, bool metadata_only);
  absl::Status Delete(const RepositoryName& repository, const Reference& reference);

 private:
  absl::StatusOr<ManifestPutResult> PutUncounted(const RepositoryName& repository, const ManifestPut& put);
  absl::StatusOr<StoredManifest> GetByTag(const RepositoryName& repository, const Tag& tag, bool metadata_only);
  absl::Status DeleteTag(const RepositoryName& repository, const Tag& tag);
  absl::Status DeleteByDigest(const RepositoryName& repository, const Digest& digest);

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  CatalogMetrics* const metrics_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MANIFEST_RECORDS_H_
