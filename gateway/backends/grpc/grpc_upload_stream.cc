#include "gateway/backends/grpc/grpc_upload_stream.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "boost/asio/this_coro.hpp"
#include "gateway/backends/grpc/grpc_stream_state.h"
#include "grpcpp/support/client_callback.h"
#include "services/core/content.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"
#include "services/runtime/grpc/grpc_retry_policy.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/wire/blob_messages.h"
#include "services/wire/content_messages.h"

namespace entrepot::gateway {
namespace {

using blob::v1::AppendHeader;
using blob::v1::AppendToUploadRequest;
using blob::v1::BlobService;
using boost::asio::awaitable;

absl::Status TooSlow() {
  return OciError(OciErrorCode::kUnavailable, "the blob service did not accept the bytes within its deadline");
}

class AppendCall : public GrpcStreamState, public grpc::ClientWriteReactor<AppendToUploadRequest> {
 public:
  using GrpcStreamState::GrpcStreamState;

  void Start(const AppendHeader& header) {
    replica().stub<BlobService>().async()->AppendToUpload(&context(), &response_, this);
    // The coroutine starts each write when it has bytes. The hold keeps the call open until Release().
    AddHold();
    *message_.mutable_header() = header;
    writing_ = true;
    Begin();
    StartWrite(&message_);
    StartCall();
  }

  void Write(absl::string_view bytes) {
    message_.set_data(bytes.data(), bytes.size());
    writing_ = true;
    StartWrite(&message_);
  }

  // The last message.
  void WriteSeal(const Digest& digest) {
    message_.mutable_seal()->set_digest(digest.ToString());
    writing_ = true;
    StartWriteLast(&message_, grpc::WriteOptions());
  }

  bool accepted() const { return accepted_; }
  bool writing() const { return writing_; }
  // The service accepts no more messages; its status is the reason.
  bool broken() const { return broken_; }
  const blob::v1::Upload& response() const { return response_; }

 private:
  void DropHold() override { RemoveHold(); }
  void OnReadInitialMetadataDone(bool ok) override {
    Report([this, ok] {
      accepted_ = ok;
      broken_ = broken_ || !ok;
    });
  }
  void OnWriteDone(bool ok) override {
    Report([this, ok] {
      writing_ = false;
      broken_ = broken_ || !ok;
    });
  }
  void OnDone(const grpc::Status& status) override { Ended(status); }

  AppendToUploadRequest message_;
  blob::v1::Upload response_;
  bool accepted_ = false;
  bool writing_ = false;
  bool broken_ = false;
};

// Lets the call end and awaits its status.
awaitable<absl::Status> End(AppendCall& call, absl::Duration deadline) {
  const std::optional<grpc::Status> status = co_await call.End(deadline);
  co_return status.has_value() ? FromGrpcStatus(*status) : TooSlow();
}

// The error of a broken call; never OK.
absl::Status WhyBroken(const absl::Status& status) {
  return status.ok() ? absl::InternalError("the blob service ended an upload too early") : status;
}

class GrpcUploadStream : public UploadStream {
 public:
  GrpcUploadStream(const BlobClient& client, std::string request_id, AppendHeader header,
                   std::shared_ptr<AppendCall> call)
      : client_(client), request_id_(std::move(request_id)), header_(std::move(header)), call_(std::move(call)) {}

  ~GrpcUploadStream() override {
    if (!call_->done()) call_->Cancel();
  }

  awaitable<absl::Status> Append(absl::string_view bytes) override {
    call_->Write(bytes);
    if (!co_await call_->Wait(client_.deadline(), [&] { return !call_->writing(); })) {
      call_->Cancel();
      co_return TooSlow();
    }
    if (call_->broken()) co_return WhyBroken(co_await End(*call_, client_.deadline()));
    sent_bytes_ += bytes.size();
    co_return absl::OkStatus();
  }

  awaitable<absl::StatusOr<Upload>> Finish() override {
    call_->StartWritesDone();
    CO_RETURN_IF_ERROR(co_await End(*call_, client_.deadline()));
    co_return FromMessage(call_->response());
  }

  awaitable<absl::StatusOr<Blob>> FinishAndSeal(const Digest& digest) override {
    call_->WriteSeal(digest);
    // It ends two things, so it may take twice as long.
    const absl::Status status = co_await End(*call_, 2 * client_.deadline());
    if (status.ok()) co_return FromMessage(call_->response().blob());
    if (!call_->done() || !runtime::IsLostCall(call_->status())) co_return status;
    co_return co_await SealAgain(digest, status);
  }

 private:
  // The answer of the service was lost. Seals unless bytes were lost too: then the session stays open, and `lost` is
  // the error.
  awaitable<absl::StatusOr<Blob>> SealAgain(const Digest& digest, const absl::Status& lost) {
    using Async = BlobClient::Async;
    const UploadOwner owner{.repository = *RepositoryName::Parse(header_.repository()), .account = header_.account()};
    const UploadId id = *UploadId::Parse(header_.upload_id());
    const absl::StatusOr<blob::v1::Upload> upload = co_await client_.Call<blob::v1::GetUploadRequest, blob::v1::Upload>(
        &Async::GetUpload, request_id_, UploadRequest<blob::v1::GetUploadRequest>(owner, id));
    // A sealed session is not found, and sealing it again gives its blob.
    if (upload.ok() ? !HasAll(*upload) : !absl::IsNotFound(upload.status())) co_return lost;
    auto request = UploadRequest<blob::v1::SealUploadRequest>(owner, id);
    request.set_digest(digest.ToString());
    CO_ASSIGN_OR_RETURN(const types::v1::Blob sealed,
                        (co_await client_.Call<blob::v1::SealUploadRequest, types::v1::Blob>(
                            &Async::SealUpload, request_id_, std::move(request))));
    co_return FromMessage(sealed);
  }

  // Whether the session has all bytes that were appended.
  bool HasAll(const blob::v1::Upload& upload) const {
    if (header_.has_offset_bytes()) return upload.offset_bytes() == header_.offset_bytes() + sent_bytes_;
    return upload.whole() && upload.offset_bytes() == sent_bytes_;
  }

  const BlobClient& client_;
  const std::string request_id_;
  const AppendHeader header_;
  const std::shared_ptr<AppendCall> call_;
  uint64_t sent_bytes_ = 0;
};

}  // namespace

awaitable<absl::StatusOr<std::unique_ptr<UploadStream>>> OpenGrpcUploadStream(const BlobClient& client,
                                                                              std::string request_id,
                                                                              AppendHeader header) {
  const auto executor = co_await boost::asio::this_coro::executor;
  GrpcCallAttempts attempts(client.deadline());
  for (;;) {
    const auto call = std::make_shared<AppendCall>(executor, client.replicas(), client.calls(), request_id);
    auto stream = std::make_unique<GrpcUploadStream>(client, request_id, header, call);
    call->Start(header);
    if (!co_await call->Wait(attempts.deadline().Left(),
                             [&] { return (call->accepted() && !call->writing()) || call->broken(); })) {
      co_return TooSlow();
    }
    if (!call->broken()) co_return stream;
    const absl::Status status = co_await End(*call, client.deadline());
    if (!call->done() || !co_await attempts.WaitToRetry(call->status())) co_return WhyBroken(status);
  }
}

}  // namespace entrepot::gateway
