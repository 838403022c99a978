#include "services/manifest/catalog/registry_catalog.h"

#include <variant>

#include "absl/memory/memory.h"
#include "services/manifest/catalog/blob_catalog.h"
#include "services/manifest/catalog/catalog_listing.h"
#include "services/manifest/catalog/catalog_metrics.h"
#include "services/manifest/catalog/manifest_catalog.h"
#include "services/manifest/catalog/repository_reads.h"
#include "services/manifest/catalog/repository_remover.h"
#include "services/manifest/records/catalog_format.h"
#include "services/manifest/records/repository_record.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
absl::StatusOr<std::unique_ptr<RegistryCatalog>> RegistryCatalog::Create(kv::KvEngine* kv, const Clock* clock,
                                                                         const Options& options) {
  RETURN_IF_ERROR(EnsureFormat(*kv));
  std::unique_ptr<RegistryCatalog> catalog(new RegistryCatalog(kv, clock, options));
  RETURN_IF_ERROR(catalog->reads_->Recover());
  return catalog;
}

RegistryCatalog::RegistryCatalog(kv::KvEngine* kv, const Clock* clock, const Options& options)
    : policy_(options.policy),
      pulls_(options.pulls),
      reads_(std::make_unique<RepositoryReads>(kv)),
      metrics_(std::make_unique<CatalogMetrics>(options.registry)),
      blobs_(std::make_unique<BlobRecords>(kv, clock, options.lease, options.objects, &policy_, reads_.get(),
                                           metrics_.get())),
      manifests_(std::make_unique<ManifestRecords>(kv, clock, &policy_, reads_.get(), metrics_.get())),
      listing_(std::make_unique<CatalogListing>(kv, reads_.get())),
      remover_(std::make_unique<RepositoryRemover>(kv, clock, &policy_, reads_.get())) {}

RegistryCatalog::~RegistryCatalog() = default;

template <typename Push>
auto RegistryCatalog::PushTo(const RepositoryName& repository, const Push& push) -> decltype(push()) {
  auto result = push();
  if (!IsBeingDeleted(result.status())) return result;
  RETURN_IF_ERROR(remover_->FinishInterrupted(repository));
  return push();
}

absl::StatusOr<bool> RegistryCatalog::CommitBlob(const Caller& caller, const RepositoryName& repository,
                                                 const Blob& blob) {
  return PushTo(repository, [&] { return blobs_->Commit(caller, repository, blob); });
}

absl::StatusOr<BlobLookup> RegistryCatalog::LookUpBlob(const Caller& caller, const RepositoryName& repository,
                                                       const Digest& digest) {
  return blobs_->LookUp(caller, repository, digest);
}

absl::Status RegistryCatalog::RenewLease(const Caller&, const RepositoryName& repository, const Digest& digest) {
  return blobs_->RenewLease(repository, digest);
}

absl::StatusOr<Blob> RegistryCatalog::FindBlob(const Caller& caller, const RepositoryName& repository,
                                               const Digest& digest) {
  return blobs_->Find(caller, repository, digest);
}

absl::StatusOr<Blob> RegistryCatalog::MountBlob(const Caller& caller, const RepositoryName& repository,
                                                const Digest& digest, const std::optional<RepositoryName>& source) {
  return PushTo(repository, [&] { return blobs_->Mount(caller, repository, digest, source); });
}

absl::Status RegistryCatalog::UnlinkBlob(const Caller& caller, const RepositoryName& repository, const Digest& digest) {
  return blobs_->Unlink(caller, repository, digest);
}

absl::StatusOr<ManifestPutResult> RegistryCatalog::PutManifest(const Caller& caller, const RepositoryName& repository,
                                                               const ManifestPut& put) {
  return PushTo(repository, [&] { return manifests_->Put(caller, repository, put); });
}

absl::StatusOr<StoredManifest> RegistryCatalog::GetManifest(const Caller& caller, const RepositoryName& repository,
                                                            const Reference& reference, bool metadata_only) {
  absl::StatusOr<StoredManifest> manifest = manifests_->Get(caller, repository, reference, metadata_only);
  // Most clients ask what a tag names without its content, and then read that by its digest.
  if (pulls_ == nullptr || !manifest.ok()) return manifest;
  if (const Tag* const tag = std::get_if<Tag>(&reference)) pulls_->Note(repository, *tag);
  return manifest;
}

absl::Status RegistryCatalog::DeleteManifest(const Caller& caller, const RepositoryName& repository,
                                             const Reference& reference) {
  return manifests_->Delete(caller, repository, reference, DeletionCondition());
}

absl::Status RegistryCatalog::DeleteManifestIf(const Caller& caller, const RepositoryName& repository,
                                               const Reference& reference, const DeletionCondition& condition) {
  return manifests_->Delete(caller, repository, reference, condition);
}

absl::StatusOr<TagPage> RegistryCatalog::ListTags(const Caller& caller, const RepositoryName& repository, size_t limit,
                                                  absl::string_view last) {
  return listing_->Tags(caller, repository, limit, last);
}

absl::StatusOr<ReferrerPage> RegistryCatalog::ListReferrers(const Caller& caller, const RepositoryName& repository,
                                                            const Digest& subject, absl::string_view artifact_type,
                                                            size_t limit, absl::string_view last) {
  return listing_->Referrers(caller, repository, subject, artifact_type, limit, last);
}

absl::StatusOr<RepositoryPage> RegistryCatalog::ListRepositories(const Caller&, size_t limit, absl::string_view last,
                                                                 const std::vector<std::string>& patterns) {
  return listing_->Repositories(limit, last, patterns);
}

absl::StatusOr<RepositoryDeletion> RegistryCatalog::DeleteRepository(const Caller& caller,
                                                                     const RepositoryName& repository) {
  return remover_->Delete(caller, repository);
}

}  // namespace entrepot::manifest
