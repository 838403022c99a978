#ifndef ENTREPOT_SERVICES_MANIFEST_REGISTRY_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_REGISTRY_CATALOG_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/registry.h"
#include "services/core/clock.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/blob_lookup.h"

namespace entrepot::manifest {

class BlobRecords;
class CatalogListing;
class CatalogMetrics;
class ManifestRecords;

// The content of the registry: blobs, links, manifests, tags, references and referrers as records of one KV (design,
// "Content records"), each change one transaction (catalog_locks.h has the protocol). Thread-safe; calls that write
// block until they are durable, others may block on a disk read.
//
// Status codes come with their OCI codes: kNotFound as BLOB_UNKNOWN, MANIFEST_UNKNOWN or NAME_UNKNOWN; kInvalidArgument
// as MANIFEST_INVALID, DIGEST_INVALID or SIZE_INVALID; kNotFound as MANIFEST_BLOB_UNKNOWN from PutManifest. kAborted
// and kUnavailable come from the KV engine; kDataLoss where a stored record cannot be read.
class RegistryCatalog {
 public:
  struct Options {
    // How long an acknowledged blob is safe from collection before a manifest refers to it.
    absl::Duration lease = absl::Hours(24);
    // Where the catalog counts pushes, mounts and what deduplication saved. None: nowhere to be seen.
    std::shared_ptr<prometheus::Registry> registry;
  };

  // Checks the stored format, and writes it into an empty KV. kFailedPrecondition where the KV holds another format.
  // `kv` and `clock` must outlive the catalog.
  static absl::StatusOr<std::unique_ptr<RegistryCatalog>> Create(kv::KvEngine* kv, const Clock* clock,
                                                                 const Options& options);
  ~RegistryCatalog();

  // Makes a sealed upload a blob of the repository. Idempotent. true where the bytes were there already, so that this
  // copy became a delete intent. BLOB_UPLOAD_UNKNOWN where the bytes are to be deleted already.
  absl::StatusOr<bool> CommitBlob(const RepositoryName& repository, const Blob& blob);

  // FindBlob() in two steps, for callers whose reads must not wait for a write: LookUpBlob() only reads; where the
  // lease is due, RenewLease() must have succeeded before the blob is promised to a client.
  absl::StatusOr<BlobLookup> LookUpBlob(const RepositoryName& repository, const Digest& digest);
  // Writes, unless somebody else just did. BLOB_UNKNOWN where the blob is gone by now.
  absl::Status RenewLease(const RepositoryName& repository, const Digest& digest);
  // Renews the lease where less than half of it is left, so that reads rarely write.
  absl::StatusOr<Blob> FindBlob(const RepositoryName& repository, const Digest& digest);

  // From `source`, or without one from any repository. BLOB_UNKNOWN where the source has no such blob.
  absl::StatusOr<Blob> MountBlob(const RepositoryName& repository, const Digest& digest,
                                 const std::optional<RepositoryName>& source);
  // Takes the blob from the repository, whether or not a manifest there refers to it. As long as one does, anywhere,
  // the bytes stay.
  absl::Status UnlinkBlob(const RepositoryName& repository, const Digest& digest);

  // OCI distribution specification, "Pushing manifests". Every blob and manifest that the content refers to must be in
  // the repository, but for its subject and non-distributable layers; all that is not is named in the error's detail.
  absl::StatusOr<ManifestPutResult> PutManifest(const RepositoryName& repository, const ManifestPut& put);
  // Without its content where `metadata_only`. Never writes.
  absl::StatusOr<StoredManifest> GetManifest(const RepositoryName& repository, const Reference& reference,
                                             bool metadata_only);
  // By digest: the manifest and its tags; what it referred to is queued for review. By tag: the tag. An index that
  // refers to the manifest is no obstacle.
  absl::Status DeleteManifest(const RepositoryName& repository, const Reference& reference);

  // Each in bytewise order, behind `last` (which need not exist, nor be well-formed), at most `limit` (>= 1) entries,
  // and fewer where a page would become too large. Tags: NAME_UNKNOWN for a repository nothing was ever pushed to.
  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last);
  // `artifact_type` empty: all. A subject that is not there has no referrers.
  absl::StatusOr<ReferrerPage> ListReferrers(const RepositoryName& repository, const Digest& subject,
                                             absl::string_view artifact_type, size_t limit, absl::string_view last);
  absl::StatusOr<RepositoryPage> ListRepositories(size_t limit, absl::string_view last);

 private:
  RegistryCatalog(kv::KvEngine* kv, const Clock* clock, const Options& options);

  // In the order of their use by one another. Each is thread-safe.
  const std::unique_ptr<CatalogMetrics> metrics_;
  const std::unique_ptr<BlobRecords> blobs_;
  const std::unique_ptr<ManifestRecords> manifests_;
  const std::unique_ptr<CatalogListing> listing_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_REGISTRY_CATALOG_H_
