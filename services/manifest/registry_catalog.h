#ifndef ENTREPOT_SERVICES_MANIFEST_REGISTRY_CATALOG_H_
#define ENTREPOT_SERVICES_MANIFEST_REGISTRY_CATALOG_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/clock.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// The content of the registry: blobs, links, manifests, tags, references and referrers as records of one KV (design,
// "Content records"), each change one transaction. Thread-safe; calls that write block until they are durable, others
// may block on a disk read.
//
// Status codes come with their OCI codes: kNotFound as BLOB_UNKNOWN, MANIFEST_UNKNOWN or NAME_UNKNOWN; kInvalidArgument
// as MANIFEST_INVALID, DIGEST_INVALID or SIZE_INVALID; kNotFound as MANIFEST_BLOB_UNKNOWN from PutManifest. kAborted
// and kUnavailable come from the KV engine.
class RegistryCatalog {
 public:
  // How long an acknowledged blob is safe from collection before a manifest refers to it.
  struct Options {
    absl::Duration lease = absl::Hours(24);
  };

  // Checks the stored format, and writes it into an empty KV. kFailedPrecondition where the KV holds a newer format.
  // `kv` and `clock` must outlive the catalog.
  static absl::StatusOr<std::unique_ptr<RegistryCatalog>> Create(kv::KvEngine* kv, const Clock* clock,
                                                                 const Options& options);

  // Makes a sealed upload a blob of the repository. Idempotent. true where the bytes were there already, so that this
  // copy became a delete intent.
  absl::StatusOr<bool> CommitBlob(const RepositoryName& repository, const Blob& blob);
  // Renews the lease where less than half of it is left, so that reads rarely write.
  absl::StatusOr<Blob> FindBlob(const RepositoryName& repository, const Digest& digest);
  // From `source`, or without one from any repository. BLOB_UNKNOWN where the source has no such blob.
  absl::StatusOr<Blob> MountBlob(const RepositoryName& repository, const Digest& digest,
                                 const std::optional<RepositoryName>& source);
  absl::Status UnlinkBlob(const RepositoryName& repository, const Digest& digest);

  // OCI distribution specification, "Pushing manifests". Every blob and manifest that the content refers to must be in
  // the repository, but for its subject; all that is not is named in the error's detail.
  absl::StatusOr<ManifestPutResult> PutManifest(const RepositoryName& repository, const ManifestPut& put);
  // Without its content where `metadata_only`.
  absl::StatusOr<StoredManifest> GetManifest(const RepositoryName& repository, const Reference& reference,
                                             bool metadata_only);
  // By digest: the manifest and its tags; what only it referred to is queued for review. By tag: the tag.
  absl::Status DeleteManifest(const RepositoryName& repository, const Reference& reference);

  // Each in bytewise order, behind `last` (which need not exist, nor be well-formed), at most `limit` (>= 1) entries.
  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last);
  // `artifact_type` empty: all. A subject that is not there has no referrers.
  absl::StatusOr<ReferrerPage> ListReferrers(const RepositoryName& repository, const Digest& subject,
                                             absl::string_view artifact_type, size_t limit, absl::string_view last);
  absl::StatusOr<RepositoryPage> ListRepositories(size_t limit, absl::string_view last);

 private:
  RegistryCatalog(kv::KvEngine* kv, const Clock* clock, const Options& options)
      : kv_(kv), clock_(clock), options_(options) {}

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  const Options options_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_REGISTRY_CATALOG_H_
