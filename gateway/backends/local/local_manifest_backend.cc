#include "gateway/backends/local/local_manifest_backend.h"

#include <string>
#include <utility>
#include <vector>

#include "services/runtime/threads/executor_awaitable.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {
namespace {

using boost::asio::awaitable;
using runtime::RunOn;

class LocalManifestBackend : public ManifestBackend {
 public:
  LocalManifestBackend(manifest::RegistryCatalog* catalog, manifest::Upkeep* upkeep, runtime::Executor* executor)
      : catalog_(catalog), upkeep_(upkeep), executor_(executor) {}

  awaitable<absl::StatusOr<bool>> CommitBlob(const CallContext& context, const RepositoryName& repository,
                                             const Blob& blob) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->CommitBlob(context.caller, repository, blob); });
  }

  awaitable<absl::StatusOr<Blob>> FindBlob(const CallContext& context, const RepositoryName& repository,
                                           const Digest& digest) override {
    CO_ASSIGN_OR_RETURN(manifest::BlobLookup found, catalog_->LookUpBlob(context.caller, repository, digest));
    if (found.lease_due) {
      CO_RETURN_IF_ERROR(
          co_await RunOn(*executor_, [&] { return catalog_->RenewLease(context.caller, repository, digest); }));
    }
    co_return std::move(found.blob);
  }

  awaitable<absl::StatusOr<Blob>> MountBlob(const CallContext& context, const RepositoryName& repository,
                                            const Digest& digest,
                                            const std::optional<RepositoryName>& source) override {
    co_return co_await RunOn(*executor_,
                             [&] { return catalog_->MountBlob(context.caller, repository, digest, source); });
  }

  awaitable<absl::Status> UnlinkBlob(const CallContext& context, const RepositoryName& repository,
                                     const Digest& digest) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->UnlinkBlob(context.caller, repository, digest); });
  }

  awaitable<absl::StatusOr<ManifestPutResult>> PutManifest(const CallContext& context, const RepositoryName& repository,
                                                           const ManifestPut& put) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->PutManifest(context.caller, repository, put); });
  }

  awaitable<absl::StatusOr<StoredManifest>> GetManifest(const CallContext& context, const RepositoryName& repository,
                                                        const Reference& reference, bool metadata_only) override {
    co_return catalog_->GetManifest(context.caller, repository, reference, metadata_only);
  }

  awaitable<absl::Status> DeleteManifest(const CallContext& context, const RepositoryName& repository,
                                         const Reference& reference) override {
    co_return co_await RunOn(*executor_,
                             [&] { return catalog_->DeleteManifest(context.caller, repository, reference); });
  }

  awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context, const RepositoryName& repository,
                                              size_t limit, absl::string_view last) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->ListTags(context.caller, repository, limit, last); });
  }

  awaitable<absl::StatusOr<ReferrerPage>> ListReferrers(const CallContext& context, const RepositoryName& repository,
                                                        const Digest& subject, absl::string_view artifact_type,
                                                        size_t limit, absl::string_view last) override {
    co_return co_await RunOn(*executor_, [&] {
      return catalog_->ListReferrers(context.caller, repository, subject, artifact_type, limit, last);
    });
  }

  awaitable<absl::StatusOr<RepositoryPage>> ListRepositories(const CallContext& context, size_t limit,
                                                             absl::string_view last,
                                                             const std::vector<std::string>& patterns) override {
    co_return co_await RunOn(*executor_,
                             [&] { return catalog_->ListRepositories(context.caller, limit, last, patterns); });
  }

  awaitable<absl::StatusOr<RepositoryDeletion>> DeleteRepository(const CallContext& context,
                                                                 const RepositoryName& repository) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->DeleteRepository(context.caller, repository); });
  }

  awaitable<absl::StatusOr<manifest::v1::MaintainResponse>> Maintain(
      const CallContext&, const manifest::v1::MaintainRequest& request) override {
    co_return co_await RunOn(*executor_, [&] { return upkeep_->Maintain(request); });
  }

  awaitable<absl::Status> ReportDamage(const CallContext&, const Blob& blob) override {
    co_return co_await RunOn(*executor_, [&] { return upkeep_->ReportDamage(blob.digest, blob.storage_key); });
  }

  absl::Status CheckReady() override { return catalog_->ListRepositories({}, 1, "", {"**"}).status(); }

 private:
  manifest::RegistryCatalog* const catalog_;
  manifest::Upkeep* const upkeep_;
  runtime::Executor* const executor_;
};

}  // namespace

std::unique_ptr<ManifestBackend> MakeLocalManifestBackend(manifest::RegistryCatalog* catalog, manifest::Upkeep* upkeep,
                                                          runtime::Executor* executor) {
  return std::make_unique<LocalManifestBackend>(catalog, upkeep, executor);
}

}  // namespace entrepot::gateway
