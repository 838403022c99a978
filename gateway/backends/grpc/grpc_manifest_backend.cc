#include "gateway/backends/grpc/grpc_manifest_backend.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/manifest/v1/manifest_service.grpc.pb.h"
#include "gateway/backends/grpc/grpc_client.h"
#include "services/core/lru_map.h"
#include "services/runtime/threads/turn_queue.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/wire/content_messages.h"
#include "services/wire/manifest_messages.h"

namespace entrepot::gateway {
namespace {

namespace v1 = manifest::v1;
using boost::asio::awaitable;

// A manifest that is on its way takes its size several times, in both processes: as a message and in gRPC's buffers. So
// few large ones are on their way at once, whatever the number of clients. Connections bound the others, which take
// nothing but a place in the queue.
constexpr runtime::TurnQueue::Options kContentReads{.running_max = 16,
                                                    .waiting_max = std::numeric_limits<size_t>::max(),
                                                    .waiting_of_holder_max = std::numeric_limits<size_t>::max(),
                                                    .patience = std::chrono::seconds(10)};

// Manifests of up to this size, which most are, wait for no turn once their size is known.
constexpr uint64_t kSmallContentBytes = 64 << 10;
constexpr size_t kSmallManifestsMax = 4096;

// The manifests, by repository and reference, that were small when they were read last. Thread-safe.
class SmallManifests {
 public:
  bool Contain(const std::string& name) {
    const absl::MutexLock lock(&mutex_);
    return names_.Find(name) != nullptr;
  }
  void Note(const std::string& name, bool is_small) {
    const absl::MutexLock lock(&mutex_);
    if (is_small) {
      names_[name] = true;
    } else {
      names_.Erase(name);
    }
  }

 private:
  absl::Mutex mutex_;
  LruMap<std::string, bool> names_ ABSL_GUARDED_BY(mutex_){kSmallManifestsMax};
};

template <typename Request>
Request RequestFor(const CallContext& context, const RepositoryName& repository) {
  Request request;
  request.set_repository(repository.ToString());
  *request.mutable_caller() = ToMessage(context.caller);
  return request;
}

class GrpcManifestBackend : public ManifestBackend {
 public:
  explicit GrpcManifestBackend(GrpcClient<v1::ManifestService> client) : client_(std::move(client)) {}

  awaitable<absl::StatusOr<bool>> CommitBlob(const CallContext& context, const RepositoryName& repository,
                                             const Blob& blob) override {
    auto request = RequestFor<v1::CommitBlobRequest>(context, repository);
    *request.mutable_blob() = ToMessage(blob);
    request.set_cache_of(context.cache_of);
    CO_ASSIGN_OR_RETURN(const v1::CommitBlobResponse response,
                        co_await client_.Call(&Async::CommitBlob, context.request_id, std::move(request)));
    co_return response.deduplicated();
  }

  awaitable<absl::StatusOr<Blob>> FindBlob(const CallContext& context, const RepositoryName& repository,
                                           const Digest& digest) override {
    auto request = RequestFor<v1::FindBlobRequest>(context, repository);
    request.set_digest(digest.ToString());
    CO_ASSIGN_OR_RETURN(const types::v1::Blob response,
                        co_await client_.Call(&Async::FindBlob, context.request_id, std::move(request)));
    co_return FromMessage(response);
  }

  awaitable<absl::StatusOr<Blob>> MountBlob(const CallContext& context, const RepositoryName& repository,
                                            const Digest& digest,
                                            const std::optional<RepositoryName>& source) override {
    auto request = RequestFor<v1::MountBlobRequest>(context, repository);
    request.set_digest(digest.ToString());
    if (source.has_value()) request.set_source_repository(source->ToString());
    CO_ASSIGN_OR_RETURN(const types::v1::Blob response,
                        co_await client_.Call(&Async::MountBlob, context.request_id, std::move(request)));
    co_return FromMessage(response);
  }

  awaitable<absl::Status> UnlinkBlob(const CallContext& context, const RepositoryName& repository,
                                     const Digest& digest) override {
    auto request = RequestFor<v1::UnlinkBlobRequest>(context, repository);
    request.set_digest(digest.ToString());
    const auto response = co_await client_.Remove(&Async::UnlinkBlob, context.request_id, std::move(request));
    co_return response.status();
  }

  awaitable<absl::StatusOr<ManifestPutResult>> PutManifest(const CallContext& context, const RepositoryName& repository,
                                                           const ManifestPut& put) override {
    v1::PutManifestRequest request = ToMessage(put);
    request.set_repository(repository.ToString());
    *request.mutable_caller() = ToMessage(context.caller);
    absl::StatusOr<v1::PutManifestResponse> response;
    // A condition that the first call fulfilled may fail in a repetition because of that first call.
    if (put.preconditions.empty()) {
      response = co_await client_.Call(&Async::PutManifest, context.request_id, std::move(request));
    } else {
      response = co_await client_.CallOnce(&Async::PutManifest, context.request_id, std::move(request));
    }
    CO_RETURN_IF_ERROR(response.status());
    co_return FromMessage(*response);
  }

  awaitable<absl::StatusOr<StoredManifest>> GetManifest(const CallContext& context, const RepositoryName& repository,
                                                        const Reference& reference, bool metadata_only) override {
    auto request = RequestFor<v1::GetManifestRequest>(context, repository);
    request.set_reference(ReferenceToString(reference));
    request.set_metadata_only(metadata_only);
    const std::string name = absl::StrCat(repository.ToString(), " ", request.reference());
    if (metadata_only || small_manifests_.Contain(name)) {
      request.set_content_bytes_max(kSmallContentBytes);
      CO_ASSIGN_OR_RETURN(v1::Manifest response,
                          co_await client_.Call(&Async::GetManifest, context.request_id, request));
      if (metadata_only || response.size_bytes() <= kSmallContentBytes) co_return FromMessage(std::move(response));
      request.clear_content_bytes_max();
    }
    const std::variant<Turn, runtime::TurnQueue::Refusal> turn = co_await content_reads_.Take(RequesterOf(context));
    if (!std::holds_alternative<Turn>(turn)) {
      const std::string cause =
          absl::StrCat("reads of other manifests over ", kSmallContentBytes,
                       " bytes take too long: ", kContentReads.running_max, " run at once (a fixed limit); try again");
      co_return OciError(OciErrorCode::kUnavailable, cause, cause);
    }
    CO_ASSIGN_OR_RETURN(v1::Manifest response,
                        co_await client_.Call(&Async::GetManifest, context.request_id, std::move(request)));
    small_manifests_.Note(name, response.size_bytes() <= kSmallContentBytes);
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::Status> DeleteManifest(const CallContext& context, const RepositoryName& repository,
                                         const Reference& reference, const Preconditions& preconditions) override {
    auto request = RequestFor<v1::DeleteManifestRequest>(context, repository);
    request.set_reference(ReferenceToString(reference));
    if (!preconditions.empty()) *request.mutable_preconditions() = ToMessage(preconditions);
    const auto response = co_await client_.Remove(&Async::DeleteManifest, context.request_id, std::move(request));
    co_return response.status();
  }

  awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context, const RepositoryName& repository,
                                              size_t limit, absl::string_view last) override {
    auto request = RequestFor<v1::ListTagsRequest>(context, repository);
    request.set_limit(static_cast<uint32_t>(limit));
    request.set_last(std::string(last));
    CO_ASSIGN_OR_RETURN(v1::ListTagsResponse response,
                        co_await client_.Call(&Async::ListTags, context.request_id, std::move(request)));
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::StatusOr<ReferrerPage>> ListReferrers(const CallContext& context, const RepositoryName& repository,
                                                        const Digest& subject, absl::string_view artifact_type,
                                                        size_t limit, absl::string_view last) override {
    auto request = RequestFor<v1::ListReferrersRequest>(context, repository);
    request.set_subject(subject.ToString());
    request.set_artifact_type(std::string(artifact_type));
    request.set_limit(static_cast<uint32_t>(limit));
    request.set_last(std::string(last));
    CO_ASSIGN_OR_RETURN(v1::ListReferrersResponse response,
                        co_await client_.Call(&Async::ListReferrers, context.request_id, std::move(request)));
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::StatusOr<RepositoryPage>> ListRepositories(const CallContext& context, size_t limit,
                                                             absl::string_view last,
                                                             const std::vector<std::string>& patterns) override {
    v1::ListRepositoriesRequest request;
    request.set_limit(static_cast<uint32_t>(limit));
    request.set_last(std::string(last));
    for (const std::string& pattern : patterns) request.add_patterns(pattern);
    *request.mutable_caller() = ToMessage(context.caller);
    CO_ASSIGN_OR_RETURN(v1::ListRepositoriesResponse response,
                        co_await client_.Call(&Async::ListRepositories, context.request_id, std::move(request)));
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::StatusOr<RepositoryDeletion>> DeleteRepository(const CallContext& context,
                                                                 const RepositoryName& repository) override {
    auto request = RequestFor<v1::DeleteRepositoryRequest>(context, repository);
    CO_ASSIGN_OR_RETURN(const v1::DeleteRepositoryResponse response,
                        co_await client_.Remove(&Async::DeleteRepository, context.request_id, std::move(request)));
    co_return FromMessage(response);
  }

  awaitable<absl::StatusOr<v1::MaintainResponse>> Maintain(const CallContext& context,
                                                           const v1::MaintainRequest& request) override {
    if (request.has_start_job()) {
      return client_.CallOnce(&Async::Maintain, context.request_id, request);
    }
    return client_.Call(&Async::Maintain, context.request_id, request);
  }

  awaitable<absl::Status> ReportDamage(const CallContext& context, const Blob& blob) override {
    v1::ReportDamageRequest request;
    request.set_digest(blob.digest.ToString());
    request.set_storage_key(blob.storage_key.ToString());
    const auto response = co_await client_.CallOnce(&Async::ReportDamage, context.request_id, std::move(request));
    co_return response.status();
  }

 private:
  using Async = GrpcClient<v1::ManifestService>::Async;
  using Turn = runtime::TurnQueue::Turn;

  const GrpcClient<v1::ManifestService> client_;
  runtime::TurnQueue content_reads_{kContentReads};
  SmallManifests small_manifests_;
};

}  // namespace

std::unique_ptr<ManifestBackend> MakeGrpcManifestBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                         absl::Duration deadline, GrpcCallRegistry* calls) {
  return std::make_unique<GrpcManifestBackend>(GrpcClient<v1::ManifestService>(std::move(replicas), calls, deadline));
}

}  // namespace entrepot::gateway
