#ifndef ENTREPOT_SERVICES_MANIFEST_BLOB_RECORDS_H_
#define ENTREPOT_SERVICES_MANIFEST_BLOB_RECORDS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/clock.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/blob_lookup.h"
#include "services/manifest/catalog_metrics.h"

namespace entrepot::manifest {

// The catalog's blobs: which there are, and which repository may see them. The calls are RegistryCatalog's.
// Thread-safe.
class BlobRecords {
 public:
  // All must outlive it.
  BlobRecords(kv::KvEngine* kv, const Clock* clock, absl::Duration lease, CatalogMetrics* metrics)
      : kv_(kv), clock_(clock), lease_(lease), metrics_(metrics) {}

  absl::StatusOr<bool> Commit(const RepositoryName& repository, const Blob& blob);
  absl::StatusOr<BlobLookup> LookUp(const RepositoryName& repository, const Digest& digest);
  absl::Status RenewLease(const RepositoryName& repository, const Digest& digest);
  absl::StatusOr<Blob> Find(const RepositoryName& repository, const Digest& digest);
  absl::StatusOr<Blob> Mount(const RepositoryName& repository, const Digest& digest,
                             const std::optional<RepositoryName>& source);
  absl::Status Unlink(const RepositoryName& repository, const Digest& digest);

 private:
  absl::StatusOr<CommitResult> CommitUncounted(const RepositoryName& repository, const Blob& blob);
  absl::StatusOr<Blob> MountUncounted(const RepositoryName& repository, const Digest& digest,
                                      const std::optional<RepositoryName>& source);
  bool LeaseDue(const storage::v1::BlobRecord& record) const;

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  const absl::Duration lease_;
  CatalogMetrics* const metrics_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_BLOB_RECORDS_H_
