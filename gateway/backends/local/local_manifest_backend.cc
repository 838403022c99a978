#include "gateway/backends/local/local_manifest_backend.h"

#include <string>
#include <utility>
#include <vector>

#include "boost/asio/async_result.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "services/kv/kv_engine.h"
#include "services/runtime/threads/executor_awaitable.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {
namespace {

using boost::asio::awaitable;
using runtime::RunOn;

class LocalManifestBackend : public ManifestBackend {
 public:
  LocalManifestBackend(manifest::RegistryCatalog* catalog, manifest::Maintenance* maintenance,
                       runtime::Executor* executor, runtime::BoundedExecutor* deletions)
      : catalog_(catalog), maintenance_(maintenance), executor_(executor), deletions_(deletions) {}

  awaitable<absl::StatusOr<bool>> CommitBlob(const CallContext& context, const RepositoryName& repository,
                                             const Blob& blob) override {
    co_return co_await RunOn(
        *executor_, [&] { return catalog_->blobs().Commit(context.caller, repository, blob, context.cache_of); });
  }

  awaitable<absl::StatusOr<Blob>> FindBlob(const CallContext& context, const RepositoryName& repository,
                                           const Digest& digest) override {
    const auto look_up = [&](kv::ReadTier tier) {
      return catalog_->blobs().LookUp(context.caller, repository, digest, tier);
    };
    absl::StatusOr<manifest::BlobLookup> lookup = look_up(kv::ReadTier::kMemory);
    if (kv::IsNotInMemory(lookup.status())) {
      lookup = co_await RunOn(*executor_, [&] { return look_up(kv::ReadTier::kDisk); });
    }
    CO_ASSIGN_OR_RETURN(manifest::BlobLookup found, std::move(lookup));
    if (found.lease_due) {
      CO_RETURN_IF_ERROR(co_await RunOn(*executor_, [&] { return catalog_->blobs().RenewLease(repository, digest); }));
    }
    co_return std::move(found.blob);
  }

  awaitable<absl::StatusOr<Blob>> MountBlob(const CallContext& context, const RepositoryName& repository,
                                            const Digest& digest,
                                            const std::optional<RepositoryName>& source) override {
    co_return co_await RunOn(*executor_,
                             [&] { return catalog_->blobs().Mount(context.caller, repository, digest, source); });
  }

  awaitable<absl::Status> UnlinkBlob(const CallContext& context, const RepositoryName& repository,
                                     const Digest& digest) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->blobs().Unlink(context.caller, repository, digest); });
  }

  awaitable<absl::StatusOr<ManifestPutResult>> PutManifest(const CallContext& context, const RepositoryName& repository,
                                                           const ManifestPut& put) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->manifests().Put(context.caller, repository, put); });
  }

  awaitable<absl::StatusOr<StoredManifest>> GetManifest(const CallContext& context, const RepositoryName& repository,
                                                        const Reference& reference, bool metadata_only) override {
    const auto get = [&](kv::ReadTier tier) {
      return catalog_->manifests().Get(context.caller, repository, reference, metadata_only, tier);
    };
    absl::StatusOr<StoredManifest> manifest = get(kv::ReadTier::kMemory);
    if (!kv::IsNotInMemory(manifest.status())) co_return manifest;
    co_return co_await RunOn(*executor_, [&] { return get(kv::ReadTier::kDisk); });
  }

  awaitable<absl::Status> DeleteManifest(const CallContext& context, const RepositoryName& repository,
                                         const Reference& reference, const Preconditions& preconditions) override {
    co_return co_await RunOn(*executor_, [&] {
      return catalog_->manifests().Delete(context.caller, repository, reference, {.preconditions = preconditions});
    });
  }

  awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context, const RepositoryName& repository,
                                              size_t limit, absl::string_view last) override {
    co_return co_await RunOn(*executor_,
                             [&] { return catalog_->lists().Tags(context.caller, repository, limit, last); });
  }

  awaitable<absl::StatusOr<ReferrerPage>> ListReferrers(const CallContext& context, const RepositoryName& repository,
                                                        const Digest& subject, absl::string_view artifact_type,
                                                        size_t limit, absl::string_view last) override {
    co_return co_await RunOn(*executor_, [&] {
      return catalog_->lists().Referrers(context.caller, repository, subject, artifact_type, limit, last);
    });
  }

  awaitable<absl::StatusOr<RepositoryPage>> ListRepositories(const CallContext&, size_t limit, absl::string_view last,
                                                             const std::vector<std::string>& patterns) override {
    co_return co_await RunOn(*executor_, [&] { return catalog_->lists().Repositories(limit, last, patterns); });
  }

  awaitable<absl::StatusOr<RepositoryDeletion>> DeleteRepository(const CallContext& context,
                                                                 const RepositoryName& repository) override {
    CO_ASSIGN_OR_RETURN(runtime::BoundedExecutor::Place place, deletions_->Reserve(context.caller.account));
    co_return co_await RunOn(deletions_->threads(), [&] {
      // The caller's coroutine may be destroyed after the queue, so the job releases the place.
      const runtime::BoundedExecutor::Place held = std::move(place);
      return catalog_->repositories().Delete(context.caller, repository);
    });
  }

  awaitable<absl::StatusOr<manifest::v1::MaintainResponse>> Maintain(
      const CallContext&, const manifest::v1::MaintainRequest& request) override {
    co_return co_await RunOn(*executor_, [&] { return maintenance_->Maintain(request); });
  }

  awaitable<absl::Status> ReportDamage(const CallContext&, const Blob& blob) override {
    using Token = const boost::asio::use_awaitable_t<>;
    Token token;
    co_return co_await boost::asio::async_initiate<Token, void(absl::Status)>(
        [&](auto handler) {
          auto work = boost::asio::make_work_guard(handler);
          maintenance_->ReportDamage(
              blob.digest, blob.storage_key,
              [handler = std::move(handler), work = std::move(work)](absl::Status status) mutable {
                boost::asio::post(work.get_executor(),
                                  [handler = std::move(handler), status = std::move(status)]() mutable {
                                    std::move(handler)(std::move(status));
                                  });
              });
        },
        token);
  }

 private:
  manifest::RegistryCatalog* const catalog_;
  manifest::Maintenance* const maintenance_;
  runtime::Executor* const executor_;
  runtime::BoundedExecutor* const deletions_;
};

}  // namespace

std::unique_ptr<ManifestBackend> MakeLocalManifestBackend(manifest::RegistryCatalog* catalog,
                                                          manifest::Maintenance* maintenance,
                                                          runtime::Executor* executor,
                                                          runtime::BoundedExecutor* deletions) {
  return std::make_unique<LocalManifestBackend>(catalog, maintenance, executor, deletions);
}

}  // namespace entrepot::gateway
