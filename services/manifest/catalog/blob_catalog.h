#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_CATALOG_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/blob_storage.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/blob_commit.h"
#include "services/manifest/catalog/catalog_metrics.h"
#include "services/manifest/catalog/repository_reads.h"
#include "services/manifest/catalog/repository_remover.h"
#include "services/manifest/catalog/tag_guard.h"

namespace entrepot::manifest {

struct BlobLookup {
  Blob blob;
  // Less than half of the lease is left: it must be renewed before the blob is promised to a client.
  bool lease_due = false;
};

// The catalog's blobs: which blobs exist, and which repository may see which. RegistryCatalog describes callers and
// status codes. Thread-safe.
class BlobCatalog {
 public:
  // All pointers must outlive the BlobCatalog. `objects` may be null (RegistryCatalog::Options).
  struct Parts {
    kv::KvEngine* kv = nullptr;
    const Clock* clock = nullptr;
    absl::Duration lease;
    BlobStorage* objects = nullptr;
    const PolicyProvider* policy = nullptr;
    const RepositoryReads* reads = nullptr;
    RepositoryRemover* repositories = nullptr;
    CatalogMetrics* metrics = nullptr;
  };
  explicit BlobCatalog(const Parts& parts)
      : kv_(parts.kv),
        clock_(parts.clock),
        lease_(parts.lease),
        objects_(parts.objects),
        policy_(parts.policy),
        reads_(parts.reads),
        repositories_(parts.repositories),
        metrics_(parts.metrics) {}

  // Makes a sealed upload a blob of the repository. Idempotent. Returns true if the blob had bytes already, so that
  // this copy became a delete intent. BLOB_UPLOAD_UNKNOWN: the upload's bytes are already to be deleted. `cache_of` and
  // its errors: as in ManifestCatalog::Put().
  absl::StatusOr<bool> Commit(const Caller& caller, const RepositoryName& repository, const Blob& blob,
                              absl::string_view cache_of = "");

  // Find() in two steps, for callers whose reads must not wait for a write. LookUp() only reads; if the lease is due,
  // RenewLease() must have succeeded before the blob is promised to a client. With ReadTier::kMemory LookUp() never
  // waits for the disk: the status is kv::NotInMemory() if it must be read.
  absl::StatusOr<BlobLookup> LookUp(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                                    kv::ReadTier tier = kv::ReadTier::kDisk);
  // Writes, unless another call has just renewed the lease. BLOB_UNKNOWN: the blob is gone by now.
  absl::Status RenewLease(const RepositoryName& repository, const Digest& digest);
  // Renews the lease if less than half of it is left, so that reads rarely write.
  absl::StatusOr<Blob> Find(const Caller& caller, const RepositoryName& repository, const Digest& digest);

  // Mounts the blob from `source`; without a source, from any repository. BLOB_UNKNOWN: the source has no such blob, or
  // the caller's token is older than the source.
  absl::StatusOr<Blob> Mount(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                             const std::optional<RepositoryName>& source);
  // For a repository that caches an upstream: Find(); and if the repository does not have the blob, but one of its
  // manifests needs it, and another cache of the same upstream has it, links it. BLOB_UNKNOWN otherwise: to know a
  // digest gives no access to what a hosted repository, or the cache of another upstream, has.
  absl::StatusOr<Blob> FindOrLinkNeeded(const Caller& caller, const RepositoryName& repository, const Digest& digest);
  // Takes the blob from the repository, whether or not a manifest there refers to it, unless a protected tag needs it.
  // The bytes stay as long as any manifest of any repository refers to the blob.
  absl::Status Unlink(const Caller& caller, const RepositoryName& repository, const Digest& digest);

 private:
  absl::StatusOr<CommitResult> CommitUncounted(const Caller& caller, const RepositoryName& repository, const Blob& blob,
                                               absl::string_view cache_of);
  // nullopt if the record has changed since `before` was read, or the object may have gone since it was confirmed:
  // start over.
  absl::StatusOr<std::optional<CommitResult>> TryCommit(const Caller& caller, const RepositoryName& repository,
                                                        const Blob& blob, absl::string_view cache_of,
                                                        const std::optional<storage::v1::BlobRecord>& before,
                                                        CommitTerms terms);
  absl::StatusOr<Blob> MountUncounted(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                                      const std::optional<RepositoryName>& source);
  absl::StatusOr<Blob> LinkNeeded(const Caller& caller, const RepositoryName& repository, const Digest& digest);
  // Whether the caller may mount blobs from the repository.
  absl::StatusOr<bool> MayMountFrom(const Caller& caller, const RepositoryName& source);
  bool LeaseDue(const storage::v1::BlobRecord& record) const;

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  const absl::Duration lease_;
  BlobStorage* const objects_;
  const PolicyProvider* const policy_;
  const RepositoryReads* const reads_;
  RepositoryRemover* const repositories_;
  CatalogMetrics* const metrics_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_BLOB_CATALOG_H_
