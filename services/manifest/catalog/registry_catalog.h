#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_REGISTRY_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_REGISTRY_CATALOG_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/registry.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/object_access.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/blob_lookup.h"
#include "services/manifest/catalog/deletion_condition.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/policy/policy.h"

namespace entrepot::manifest {

class BlobRecords;
class CatalogListing;
class CatalogMetrics;
class ManifestRecords;
class RepositoryReads;
class RepositoryRemover;

// The content of the registry: blobs, links, manifests, tags, references and referrers as records of one KV (design,
// "Content records"), each change one transaction (catalog_locks.h has the protocol). Thread-safe; calls that write
// block until they are durable, others may block on a disk read.
//
// Each call is made on behalf of a caller. One whose token was issued before the repository was deleted is refused with
// kUnauthenticated (UNAUTHORIZED): the name may mean something else now. Whether the caller may pull, push or delete at
// all the gateway has decided; what depends on the content is decided here, within the transaction: kPermissionDenied
// (DENIED) where the policy's rules of tags forbid it, as RegistryCatalog::Options::policy has them.
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
    // Gives the policy in force at each call; none, or one that gives null: no rules of tags.
    std::function<std::shared_ptr<const policy::Policy>()> policy = {};
    // Where the bytes of blobs lie: a commit makes sure that they are there. Null: it takes them for granted. Outlives
    // the catalog.
    ObjectAccess* objects = nullptr;
    // Hears of each manifest that is asked for by a tag. Null: nobody does. Outlives the catalog.
    PullTimes* pulls = nullptr;
  };

  // Checks the stored format, and writes it into an empty KV. kFailedPrecondition where the KV holds another format.
  // `kv` and `clock` must outlive the catalog.
  static absl::StatusOr<std::unique_ptr<RegistryCatalog>> Create(kv::KvEngine* kv, const Clock* clock,
                                                                 const Options& options);
  ~RegistryCatalog();

  // Makes a sealed upload a blob of the repository. Idempotent. true where the bytes were there already, so that this
  // copy became a delete intent. BLOB_UPLOAD_UNKNOWN where the bytes are to be deleted already.
  absl::StatusOr<bool> CommitBlob(const Caller& caller, const RepositoryName& repository, const Blob& blob);

  // FindBlob() in two steps, for callers whose reads must not wait for a write: LookUpBlob() only reads; where the
  // lease is due, RenewLease() must have succeeded before the blob is promised to a client.
  absl::StatusOr<BlobLookup> LookUpBlob(const Caller& caller, const RepositoryName& repository, const Digest& digest);
  // Writes, unless somebody else just did. BLOB_UNKNOWN where the blob is gone by now.
  absl::Status RenewLease(const Caller& caller, const RepositoryName& repository, const Digest& digest);
  // Renews the lease where less than half of it is left, so that reads rarely write.
  absl::StatusOr<Blob> FindBlob(const Caller& caller, const RepositoryName& repository, const Digest& digest);

  // From `source`, or without one from any repository. BLOB_UNKNOWN where the source has no such blob, or the caller's
  // token is older than the source.
  absl::StatusOr<Blob> MountBlob(const Caller& caller, const RepositoryName& repository, const Digest& digest,
                                 const std::optional<RepositoryName>& source);
  // Takes the blob from the repository, whether or not a manifest there refers to it, unless an immutable tag needs it.
  // As long as a manifest refers to it, anywhere, the bytes stay.
  absl::Status UnlinkBlob(const Caller& caller, const RepositoryName& repository, const Digest& digest);

  // OCI distribution specification, "Pushing manifests". Every blob and manifest that the content refers to must be in
  // the repository, but for its subject and non-distributable layers; all that is not is named in the error's detail.
  // All tags are written or none.
  absl::StatusOr<ManifestPutResult> PutManifest(const Caller& caller, const RepositoryName& repository,
                                                const ManifestPut& put);
  // Without its content where `metadata_only`. Never writes.
  absl::StatusOr<StoredManifest> GetManifest(const Caller& caller, const RepositoryName& repository,
                                             const Reference& reference, bool metadata_only);
  // By digest: the manifest and its tags; what it referred to is queued for review. By tag: the tag. An index that
  // refers to the manifest is no obstacle, unless an immutable tag needs that index.
  absl::Status DeleteManifest(const Caller& caller, const RepositoryName& repository, const Reference& reference);
  // The same where the condition holds; the condition's error where it does not.
  absl::Status DeleteManifestIf(const Caller& caller, const RepositoryName& repository, const Reference& reference,
                                const DeletionCondition& condition);

  // Each in bytewise order, behind `last` (which need not exist, nor be well-formed), at most `limit` (>= 1) entries,
  // and fewer where a page would become too large. Tags: NAME_UNKNOWN for a repository nothing was ever pushed to.
  absl::StatusOr<TagPage> ListTags(const Caller& caller, const RepositoryName& repository, size_t limit,
                                   absl::string_view last);
  // `artifact_type` empty: all. A subject that is not there has no referrers.
  absl::StatusOr<ReferrerPage> ListReferrers(const Caller& caller, const RepositoryName& repository,
                                             const Digest& subject, absl::string_view artifact_type, size_t limit,
                                             absl::string_view last);
  // Only repositories that one of `patterns` matches (services/policy/repository_pattern.h); kInvalidArgument where one
  // of them is none.
  absl::StatusOr<RepositoryPage> ListRepositories(const Caller& caller, size_t limit, absl::string_view last,
                                                  const std::vector<std::string>& patterns);

  // The repository with all that is in it; what it held of blobs goes when nobody else needs it. NAME_UNKNOWN; DENIED
  // while it holds an immutable tag. It is gone for everybody from the first moment on, even where the call ends
  // half-way: a second call, or the first push to the name, then removes the rest. Tells what this call removed. Takes
  // as long as reading all links of the registry.
  absl::StatusOr<RepositoryDeletion> DeleteRepository(const Caller& caller, const RepositoryName& repository);

 private:
  RegistryCatalog(kv::KvEngine* kv, const Clock* clock, const Options& options);
  // Runs `push`; where a deletion of the repository that was interrupted is in its way, finishes that and runs it
  // again.
  template <typename Push>
  auto PushTo(const RepositoryName& repository, const Push& push) -> decltype(push());

  const std::function<std::shared_ptr<const policy::Policy>()> policy_;
  PullTimes* const pulls_;
  // In the order of their use by one another. Each is thread-safe.
  const std::unique_ptr<RepositoryReads> reads_;
  const std::unique_ptr<CatalogMetrics> metrics_;
  const std::unique_ptr<BlobRecords> blobs_;
  const std::unique_ptr<ManifestRecords> manifests_;
  const std::unique_ptr<CatalogListing> listing_;
  const std::unique_ptr<RepositoryRemover> remover_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_REGISTRY_CATALOG_H_
