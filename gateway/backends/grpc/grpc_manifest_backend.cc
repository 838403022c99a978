#include "gateway/backends/grpc/grpc_manifest_backend.h"

#include <string>
#include <utility>
#include <vector>

#include "entrepot/manifest/v1/manifest_service.grpc.pb.h"
#include "gateway/backends/grpc/grpc_client.h"
#include "services/status/status_macros.h"
#include "services/wire/content_messages.h"
#include "services/wire/manifest_messages.h"

namespace entrepot::gateway {
namespace {

namespace v1 = manifest::v1;
using boost::asio::awaitable;

class GrpcManifestBackend : public ManifestBackend {
 public:
  GrpcManifestBackend(std::shared_ptr<grpc::Channel> channel, const GrpcClient& client)
      : channel_(std::move(channel)), stub_(v1::ManifestService::NewStub(channel_)), client_(client) {}

  awaitable<absl::StatusOr<bool>> CommitBlob(const CallContext& context, const RepositoryName& repository,
                                             const Blob& blob) override {
    v1::CommitBlobRequest request;
    request.set_repository(repository.ToString());
    *request.mutable_blob() = ToMessage(blob);
    CO_ASSIGN_OR_RETURN(const v1::CommitBlobResponse response,
                        (co_await Call<v1::CommitBlobRequest, v1::CommitBlobResponse>(&Async::CommitBlob, context,
                                                                                      std::move(request))));
    co_return response.deduplicated();
  }

  awaitable<absl::StatusOr<Blob>> FindBlob(const CallContext& context, const RepositoryName& repository,
                                           const Digest& digest) override {
    v1::FindBlobRequest request;
    request.set_repository(repository.ToString());
    request.set_digest(digest.ToString());
    CO_ASSIGN_OR_RETURN(const types::v1::Blob response, (co_await Call<v1::FindBlobRequest, types::v1::Blob>(
                                                            &Async::FindBlob, context, std::move(request))));
    co_return FromMessage(response);
  }

  awaitable<absl::StatusOr<Blob>> MountBlob(const CallContext& context, const RepositoryName& repository,
                                            const Digest& digest,
                                            const std::optional<RepositoryName>& source) override {
    v1::MountBlobRequest request;
    request.set_repository(repository.ToString());
    request.set_digest(digest.ToString());
    if (source.has_value()) request.set_source_repository(source->ToString());
    CO_ASSIGN_OR_RETURN(const types::v1::Blob response, (co_await Call<v1::MountBlobRequest, types::v1::Blob>(
                                                            &Async::MountBlob, context, std::move(request))));
    co_return FromMessage(response);
  }

  awaitable<absl::Status> UnlinkBlob(const CallContext& context, const RepositoryName& repository,
                                     const Digest& digest) override {
    v1::UnlinkBlobRequest request;
    request.set_repository(repository.ToString());
    request.set_digest(digest.ToString());
    *request.mutable_caller() = ToMessage(context.caller);
    const auto response = co_await client_.Remove<Async, v1::UnlinkBlobRequest, v1::UnlinkBlobResponse>(
        stub_->async(), &Async::UnlinkBlob, context.request_id, std::move(request));
    co_return response.status();
  }

  awaitable<absl::StatusOr<ManifestPutResult>> PutManifest(const CallContext& context, const RepositoryName& repository,
                                                           const ManifestPut& put) override {
    v1::PutManifestRequest request = ToMessage(put);
    request.set_repository(repository.ToString());
    CO_ASSIGN_OR_RETURN(const v1::PutManifestResponse response,
                        (co_await Call<v1::PutManifestRequest, v1::PutManifestResponse>(&Async::PutManifest, context,
                                                                                        std::move(request))));
    co_return FromMessage(response);
  }

  awaitable<absl::StatusOr<StoredManifest>> GetManifest(const CallContext& context, const RepositoryName& repository,
                                                        const Reference& reference, bool metadata_only) override {
    v1::GetManifestRequest request;
    request.set_repository(repository.ToString());
    request.set_reference(ReferenceToString(reference));
    request.set_metadata_only(metadata_only);
    CO_ASSIGN_OR_RETURN(v1::Manifest response, (co_await Call<v1::GetManifestRequest, v1::Manifest>(
                                                   &Async::GetManifest, context, std::move(request))));
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::Status> DeleteManifest(const CallContext& context, const RepositoryName& repository,
                                         const Reference& reference) override {
    v1::DeleteManifestRequest request;
    request.set_repository(repository.ToString());
    request.set_reference(ReferenceToString(reference));
    *request.mutable_caller() = ToMessage(context.caller);
    const auto response = co_await client_.Remove<Async, v1::DeleteManifestRequest, v1::DeleteManifestResponse>(
        stub_->async(), &Async::DeleteManifest, context.request_id, std::move(request));
    co_return response.status();
  }

  awaitable<absl::StatusOr<TagPage>> ListTags(const CallContext& context, const RepositoryName& repository,
                                              size_t limit, absl::string_view last) override {
    v1::ListTagsRequest request;
    request.set_repository(repository.ToString());
    request.set_limit(static_cast<uint32_t>(limit));
    request.set_last(std::string(last));
    CO_ASSIGN_OR_RETURN(v1::ListTagsResponse response, (co_await Call<v1::ListTagsRequest, v1::ListTagsResponse>(
                                                           &Async::ListTags, context, std::move(request))));
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::StatusOr<ReferrerPage>> ListReferrers(const CallContext& context, const RepositoryName& repository,
                                                        const Digest& subject, absl::string_view artifact_type,
                                                        size_t limit, absl::string_view last) override {
    v1::ListReferrersRequest request;
    request.set_repository(repository.ToString());
    request.set_subject(subject.ToString());
    request.set_artifact_type(std::string(artifact_type));
    request.set_limit(static_cast<uint32_t>(limit));
    request.set_last(std::string(last));
    CO_ASSIGN_OR_RETURN(v1::ListReferrersResponse response,
                        (co_await Call<v1::ListReferrersRequest, v1::ListReferrersResponse>(
                            &Async::ListReferrers, context, std::move(request))));
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::StatusOr<RepositoryPage>> ListRepositories(const CallContext& context, size_t limit,
                                                             absl::string_view last,
                                                             const std::vector<std::string>& patterns) override {
    v1::ListRepositoriesRequest request;
    request.set_limit(static_cast<uint32_t>(limit));
    request.set_last(std::string(last));
    for (const std::string& pattern : patterns) request.add_patterns(pattern);
    CO_ASSIGN_OR_RETURN(v1::ListRepositoriesResponse response,
                        (co_await Call<v1::ListRepositoriesRequest, v1::ListRepositoriesResponse>(
                            &Async::ListRepositories, context, std::move(request))));
    co_return FromMessage(std::move(response));
  }

  awaitable<absl::StatusOr<RepositoryDeletion>> DeleteRepository(const CallContext& context,
                                                                 const RepositoryName& repository) override {
    v1::DeleteRepositoryRequest request;
    request.set_repository(repository.ToString());
    *request.mutable_caller() = ToMessage(context.caller);
    CO_ASSIGN_OR_RETURN(const v1::DeleteRepositoryResponse response,
                        (co_await client_.Remove<Async, v1::DeleteRepositoryRequest, v1::DeleteRepositoryResponse>(
                            stub_->async(), &Async::DeleteRepository, context.request_id, std::move(request))));
    co_return FromMessage(response);
  }

  awaitable<absl::StatusOr<v1::MaintainResponse>> Maintain(const CallContext& context,
                                                           const v1::MaintainRequest& request) override {
    if (request.has_start_job()) {
      return client_.CallOnce<Async, v1::MaintainRequest, v1::MaintainResponse>(stub_->async(), &Async::Maintain,
                                                                                context.request_id, request);
    }
    return client_.Call<Async, v1::MaintainRequest, v1::MaintainResponse>(stub_->async(), &Async::Maintain,
                                                                          context.request_id, request);
  }

  awaitable<absl::Status> ReportDamage(const CallContext& context, const Blob& blob) override {
    v1::ReportDamageRequest request;
    request.set_digest(blob.digest.ToString());
    request.set_storage_key(blob.storage_key.ToString());
    const auto response = co_await client_.CallOnce<Async, v1::ReportDamageRequest, v1::ReportDamageResponse>(
        stub_->async(), &Async::ReportDamage, context.request_id, std::move(request));
    co_return response.status();
  }

 private:
  using Async = v1::ManifestService::StubInterface::async_interface;

  template <typename Request, typename Response>
  awaitable<absl::StatusOr<Response>> Call(GrpcMethod<Async, Request, Response> method, const CallContext& context,
                                           Request request) {
    *request.mutable_caller() = ToMessage(context.caller);
    return client_.Call<Async, Request, Response>(stub_->async(), method, context.request_id, std::move(request));
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::ManifestService::StubInterface> stub_;
  const GrpcClient client_;
};

}  // namespace

std::unique_ptr<ManifestBackend> MakeGrpcManifestBackend(std::shared_ptr<grpc::Channel> channel,
                                                         absl::Duration deadline, GrpcCallRegistry* calls) {
  return std::make_unique<GrpcManifestBackend>(std::move(channel), GrpcClient(calls, deadline));
}

}  // namespace entrepot::gateway
