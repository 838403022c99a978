#include "gateway/backends/grpc/grpc_upstream_backend.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "entrepot/upstream/v1/upstream_service.grpc.pb.h"
#include "gateway/backends/grpc/grpc_client.h"
#include "gateway/backends/grpc/grpc_upstream_blob.h"
#include "gateway/backends/grpc/remembered_tags.h"
#include "services/core/digest.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {
namespace {

namespace v1 = upstream::v1;
using boost::asio::awaitable;

// All calls but Manage are safe to repeat: the service fetches nothing twice.
class GrpcUpstreamBackend : public UpstreamBackend {
 public:
  explicit GrpcUpstreamBackend(GrpcClient<v1::UpstreamService> client) : client_(std::move(client)) {}

  awaitable<absl::StatusOr<ResolvedManifest>> ResolveManifest(const CallContext& context,
                                                              const RepositoryName& repository,
                                                              const Reference& reference, bool metadata_only) override {
    v1::ResolveManifestRequest request;
    request.set_client(RequesterOf(context));
    request.set_repository(repository.ToString());
    request.set_reference(ReferenceToString(reference));
    request.set_metadata_only(metadata_only);
    const RecalledCount recalled = tags_.TakeCount(repository);
    request.set_recalled_fresh(recalled.fresh);
    request.set_recalled_stale(recalled.stale);
    const absl::StatusOr<v1::ResolveManifestResponse> response =
        co_await client_.Call(&Async::ResolveManifest, context.request_id, std::move(request));
    if (absl::IsUnavailable(response.status()) && GetOciErrorDetail(response.status()).empty()) {
      // The service does not respond, so it has not counted them.
      tags_.Count(repository, recalled);
    }
    CO_RETURN_IF_ERROR(response.status());
    CO_ASSIGN_OR_RETURN(Digest digest, Digest::Parse(response->digest()));
    ResolvedManifest manifest{.digest = std::move(digest),
                              .media_type = response->media_type(),
                              .size_bytes = response->size_bytes(),
                              .stored = response->stored(),
                              .stale_reason = response->stale_reason(),
                              .age = absl::Seconds(response->age_seconds()),
                              .valid_for = absl::Milliseconds(response->valid_for_milliseconds())};
    if (const Tag* const tag = std::get_if<Tag>(&reference)) tags_.Remember(repository, *tag, manifest);
    co_return manifest;
  }

  std::optional<RecalledTag> RecallTag(const RepositoryName& repository, const Tag& tag) override {
    return tags_.Find(repository, tag);
  }

  void CountRecalled(const RepositoryName& repository, const RecalledTag& tag) override {
    const bool fresh = tag.stale_reason.empty();
    tags_.Count(repository, {.fresh = fresh ? 1u : 0u, .stale = fresh ? 0u : 1u});
  }

  awaitable<absl::StatusOr<UpstreamBlob>> FindBlob(const CallContext& context, const RepositoryName& repository,
                                                   const Digest& digest) override {
    v1::FindUpstreamBlobRequest request;
    request.set_client(RequesterOf(context));
    request.set_repository(repository.ToString());
    request.set_digest(digest.ToString());
    CO_ASSIGN_OR_RETURN(const v1::FindUpstreamBlobResponse response,
                        co_await client_.Call(&Async::FindBlob, context.request_id, std::move(request)));
    co_return UpstreamBlob{.size_bytes = response.size_bytes(), .stored = response.stored()};
  }

  awaitable<absl::StatusOr<UpstreamBlob>> OpenBlob(const CallContext& context, const RepositoryName& repository,
                                                   const Digest& digest, uint64_t offset_bytes, uint64_t length_bytes,
                                                   size_t memory_bytes) override {
    v1::ReadUpstreamBlobRequest request;
    request.set_client(RequesterOf(context));
    request.set_repository(repository.ToString());
    request.set_digest(digest.ToString());
    request.set_offset_bytes(offset_bytes);
    request.set_length_bytes(length_bytes);
    // A stream has two messages at once.
    request.set_message_bytes_max(static_cast<uint32_t>(memory_bytes / 2));
    co_return co_await OpenGrpcUpstreamBlob(client_, context.request_id, std::move(request));
  }

  awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context, const RepositoryName& repository,
                                              size_t limit, absl::string_view last) override {
    v1::ListUpstreamTagsRequest request;
    request.set_client(RequesterOf(context));
    request.set_repository(repository.ToString());
    request.set_limit(static_cast<uint32_t>(limit));
    request.set_last(std::string(last));
    CO_ASSIGN_OR_RETURN(const v1::ListUpstreamTagsResponse response,
                        co_await client_.Call(&Async::ListTags, context.request_id, std::move(request)));
    co_return TagPage{{response.tags().begin(), response.tags().end()}, response.more()};
  }

  awaitable<absl::StatusOr<std::vector<Referrer>>> ListReferrers(const CallContext& context,
                                                                 const RepositoryName& repository,
                                                                 const Digest& subject) override {
    v1::ListUpstreamReferrersRequest request;
    request.set_client(RequesterOf(context));
    request.set_repository(repository.ToString());
    request.set_subject(subject.ToString());
    CO_ASSIGN_OR_RETURN(const v1::ListUpstreamReferrersResponse response,
                        co_await client_.Call(&Async::ListReferrers, context.request_id, std::move(request)));
    std::vector<Referrer> referrers;
    for (const auto& entry : response.referrers()) {
      CO_ASSIGN_OR_RETURN(Digest digest, Digest::Parse(entry.digest()));
      referrers.push_back({std::move(digest),
                           entry.media_type(),
                           entry.size_bytes(),
                           entry.artifact_type(),
                           {entry.annotations().begin(), entry.annotations().end()}});
    }
    co_return referrers;
  }

  awaitable<absl::StatusOr<v1::ManageUpstreamsResponse>> Manage(const CallContext& context,
                                                                const v1::ManageUpstreamsRequest& request) override {
    if (request.has_start_job()) {
      return client_.CallOnce(&Async::Manage, context.request_id, request);
    }
    return client_.Call(&Async::Manage, context.request_id, request);
  }

 private:
  using Async = GrpcClient<v1::UpstreamService>::Async;

  const GrpcClient<v1::UpstreamService> client_;
  RememberedTags tags_;
};

}  // namespace

std::unique_ptr<UpstreamBackend> MakeGrpcUpstreamBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                         absl::Duration deadline, GrpcCallRegistry* calls) {
  return std::make_unique<GrpcUpstreamBackend>(GrpcClient<v1::UpstreamService>(std::move(replicas), calls, deadline));
}

}  // namespace entrepot::gateway
