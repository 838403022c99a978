#include "services/manifest/registry_catalog.h"

#include "absl/memory/memory.h"
#include "services/manifest/blob_records.h"
#include "services/manifest/catalog_format.h"
#include "services/manifest/catalog_listing.h"
#include "services/manifest/catalog_metrics.h"
#include "services/manifest/manifest_records.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

absl::StatusOr<std::unique_ptr<RegistryCatalog>> RegistryCatalog::Create(kv::KvEngine* kv, const Clock* clock,
                                                                         const Options& options) {
  RETURN_IF_ERROR(EnsureFormat(*kv));
  return absl::WrapUnique(new RegistryCatalog(kv, clock, options));
}

RegistryCatalog::RegistryCatalog(kv::KvEngine* kv, const Clock* clock, const Options& options)
    : metrics_(std::make_unique<CatalogMetrics>(options.registry)),
      blobs_(std::make_unique<BlobRecords>(kv, clock, options.lease, metrics_.get())),
      manifests_(std::make_unique<ManifestRecords>(kv, clock, metrics_.get())),
      listing_(std::make_unique<CatalogListing>(kv)) {}

RegistryCatalog::~RegistryCatalog() = default;

absl::StatusOr<bool> RegistryCatalog::CommitBlob(const RepositoryName& repository, const Blob& blob) {
  return blobs_->Commit(repository, blob);
}

absl::StatusOr<BlobLookup> RegistryCatalog::LookUpBlob(const RepositoryName& repository, const Digest& digest) {
  return blobs_->LookUp(repository, digest);
}

absl::Status RegistryCatalog::RenewLease(const RepositoryName& repository, const Digest& digest) {
  return blobs_->RenewLease(repository, digest);
}

absl::StatusOr<Blob> RegistryCatalog::FindBlob(const RepositoryName& repository, const Digest& digest) {
  return blobs_->Find(repository, digest);
}

absl::StatusOr<Blob> RegistryCatalog::MountBlob(const RepositoryName& repository, const Digest& digest,
                                                const std::optional<RepositoryName>& source) {
  return blobs_->Mount(repository, digest, source);
}

absl::Status RegistryCatalog::UnlinkBlob(const RepositoryName& repository, const Digest& digest) {
  return blobs_->Unlink(repository, digest);
}

absl::StatusOr<ManifestPutResult> RegistryCatalog::PutManifest(const RepositoryName& repository,
                                                               const ManifestPut& put) {
  return manifests_->Put(repository, put);
}

absl::StatusOr<StoredManifest> RegistryCatalog::GetManifest(const RepositoryName& repository,
                                                            const Reference& reference, bool metadata_only) {
  return manifests_->Get(repository, reference, metadata_only);
}

absl::Status RegistryCatalog::DeleteManifest(const RepositoryName& repository, const Reference& reference) {
  return manifests_->Delete(repository, reference);
}

absl::StatusOr<TagPage> RegistryCatalog::ListTags(const RepositoryName& repository, size_t limit,
                                                  absl::string_view last) {
  return listing_->Tags(repository, limit, last);
}

absl::StatusOr<ReferrerPage> RegistryCatalog::ListReferrers(const RepositoryName& repository, const Digest& subject,
                                                            absl::string_view artifact_type, size_t limit,
                                                            absl::string_view last) {
  return listing_->Referrers(repository, subject, artifact_type, limit, last);
}

absl::StatusOr<RepositoryPage> RegistryCatalog::ListRepositories(size_t limit, absl::string_view last) {
  return listing_->Repositories(limit, last);
}

}  // namespace entrepot::manifest
