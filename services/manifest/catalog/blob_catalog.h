#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_CATALOG_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/object_access.h"
#include "services/core/repository_name.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/blob_lookup.h"
#include "services/manifest/catalog/catalog_metrics.h"
#include "services/manifest/catalog/repository_reads.h"
#include "services/manifest/catalog/tag_guard.h"

namespace entrepot::manifest {

// The catalog's blobs: which there are, and which repository may see them. The calls are RegistryCatalog's.
// Thread-safe.
class BlobRecords {
 public:
  // All must outlive it. `objects` may be null: RegistryCatalog::Options.
  BlobRecords(kv::KvEngine* kv, const Clock* clock, absl::Duration lease, ObjectAccess* objects,
              const PolicyProvider* policy, const RepositoryReads* reads, CatalogMetrics* metrics)
      : kv_(kv), clock_(clock), lease_(lease), objects_(objects), policy_(policy), reads_(reads), metrics_(metrics) {}

  absl::StatusOr<bool> Commit(const Caller& caller, const RepositoryName& repository, const Blob& blob);
  absl::StatusOr<BlobLookup> LookUp(const Caller& caller, const RepositoryName& repository, const Digest& digest);
  absl::Status RenewLease(const RepositoryName& repository, const Digest& digest);
  absl::StatusOr<Blob> Find(const Caller& caller, const RepositoryName& repository, const Digest& digest);
  absl::StatusOr<Blob> Mount(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                             const std::optional<RepositoryName>& source);
  absl::Status Unlink(const Caller& caller, const RepositoryName& repository, const Digest& digest);

 private:
  absl::StatusOr<CommitResult> CommitUncounted(const Caller& caller, const RepositoryName& repository,
                                               const Blob& blob);
  // nullopt where the record is not what it was `before`.
  absl::StatusOr<std::optional<CommitResult>> TryCommit(const Caller& caller, const RepositoryName& repository,
                                                        const Blob& blob,
                                                        const std::optional<storage::v1::BlobRecord>& before);
  absl::StatusOr<Blob> MountUncounted(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                                      const std::optional<RepositoryName>& source);
  // Whether the caller may mount what the repository has.
  absl::StatusOr<bool> MayMountFrom(const Caller& caller, const RepositoryName& source);
  bool LeaseDue(const storage::v1::BlobRecord& record) const;

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  const absl::Duration lease_;
  ObjectAccess* const objects_;
  const PolicyProvider* const policy_;
  const RepositoryReads* const reads_;
  CatalogMetrics* const metrics_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_CATALOG_H_
