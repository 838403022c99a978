#include "gateway/backends/grpc/grpc_blob_backend.h"

#include <algorithm>
#include <string>
#include <utility>

#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "gateway/backends/grpc/grpc_client.h"
#include "gateway/backends/grpc/grpc_object_stream.h"
#include "gateway/backends/grpc/grpc_upload_stream.h"
#include "services/core/content.h"
#include "services/status/status_macros.h"
#include "services/wire/blob_messages.h"
#include "services/wire/content_messages.h"

namespace entrepot::gateway {
namespace {

namespace v1 = blob::v1;
using boost::asio::awaitable;

UploadOwner OwnerOf(const CallContext& context, const RepositoryName& repository) {
  return {.repository = repository, .account = context.caller.account};
}

// A stream has two messages at once.
uint32_t MessageBytes(uint64_t length_bytes, size_t memory_bytes) {
  const bool is_one_message = length_bytes <= std::min(memory_bytes, BlobBackend::kReadMemoryBytes / 2);
  return static_cast<uint32_t>(is_one_message ? memory_bytes : memory_bytes / 2);
}

class GrpcBlobBackend : public BlobBackend {
 public:
  GrpcBlobBackend(GrpcClient<v1::BlobService> client, std::unique_ptr<SharedObjectFiles> files)
      : client_(std::move(client)), files_(std::move(files)) {}

  // Safe to repeat: a session that no client knows expires.
  awaitable<absl::StatusOr<Upload>> StartUpload(const CallContext& context, const RepositoryName& repository,
                                                DigestAlgorithm algorithm) override {
    v1::StartUploadRequest request;
    request.set_repository(repository.ToString());
    request.set_algorithm(ToMessage(algorithm));
    request.set_account(context.caller.account);
    request.set_client_address(std::string(context.remote_address));
    CO_ASSIGN_OR_RETURN(const v1::Upload upload,
                        co_await client_.Call(&Async::StartUpload, context.request_id, std::move(request)));
    co_return FromMessage(upload);
  }

  awaitable<absl::StatusOr<Upload>> GetUpload(const CallContext& context, const RepositoryName& repository,
                                              const UploadId& id) override {
    CO_ASSIGN_OR_RETURN(const v1::Upload upload,
                        co_await client_.Call(&Async::GetUpload, context.request_id,
                                              UploadRequest<v1::GetUploadRequest>(OwnerOf(context, repository), id)));
    co_return FromMessage(upload);
  }

  awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> AppendToUpload(const CallContext& context,
                                                                          const RepositoryName& repository,
                                                                          const UploadId& id,
                                                                          const AppendOptions& options) override {
    auto header = UploadRequest<v1::AppendHeader>(OwnerOf(context, repository), id);
    if (options.offset_bytes.has_value()) header.set_offset_bytes(*options.offset_bytes);
    if (options.algorithm.has_value()) header.set_algorithm(ToMessage(*options.algorithm));
    header.set_last(options.last);
    co_return co_await OpenGrpcUploadStream(client_, context.request_id, std::move(header));
  }

  awaitable<absl::StatusOr<Blob>> SealUpload(const CallContext& context, const RepositoryName& repository,
                                             const UploadId& id, const Digest& digest) override {
    auto request = UploadRequest<v1::SealUploadRequest>(OwnerOf(context, repository), id);
    request.set_digest(digest.ToString());
    CO_ASSIGN_OR_RETURN(const types::v1::Blob sealed,
                        co_await client_.Call(&Async::SealUpload, context.request_id, std::move(request)));
    co_return FromMessage(sealed);
  }

  awaitable<absl::Status> CancelUpload(const CallContext& context, const RepositoryName& repository,
                                       const UploadId& id) override {
    const auto response =
        co_await client_.Remove(&Async::CancelUpload, context.request_id,
                                UploadRequest<v1::CancelUploadRequest>(OwnerOf(context, repository), id));
    co_return response.status();
  }

  awaitable<absl::Status> ForgetUpload(const CallContext& context, const RepositoryName& repository,
                                       const UploadId& id) override {
    const auto response =
        co_await client_.Call(&Async::ForgetUpload, context.request_id,
                              UploadRequest<v1::ForgetUploadRequest>(OwnerOf(context, repository), id));
    co_return response.status();
  }

  awaitable<absl::StatusOr<ObjectContent>> ReadObject(const CallContext& context, const Blob& blob,
                                                      const ByteRange& range, size_t memory_bytes,
                                                      bool may_redirect) override {
    v1::ReadObjectRequest request;
    request.set_storage_key(blob.storage_key.ToString());
    request.set_offset_bytes(range.offset_bytes);
    request.set_length_bytes(range.length_bytes);
    if (const auto whole = DigestOfWhole(blob, range); whole.has_value()) request.set_digest(whole->ToString());
    request.set_message_bytes_max(MessageBytes(range.length_bytes, memory_bytes));
    if (may_redirect) request.set_redirected_client(std::string(context.remote_address));
    request.set_requester(RequesterOf(context));
    co_return co_await OpenGrpcObject(client_, context.request_id, std::move(request), files_.get());
  }

 private:
  using Async = GrpcClient<v1::BlobService>::Async;

  const GrpcClient<v1::BlobService> client_;
  const std::unique_ptr<SharedObjectFiles> files_;  // May be null.
};

}  // namespace

std::unique_ptr<BlobBackend> MakeGrpcBlobBackend(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                 absl::Duration deadline, GrpcCallRegistry* calls,
                                                 std::unique_ptr<SharedObjectFiles> files) {
  return std::make_unique<GrpcBlobBackend>(GrpcClient<v1::BlobService>(std::move(replicas), calls, deadline),
                                           std::move(files));
}

}  // namespace entrepot::gateway
