#include "gateway/backends/grpc/grpc_upload_stream.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "boost/asio/this_coro.hpp"
#include "gateway/backends/grpc/grpc_stream_state.h"
#include "grpcpp/support/client_callback.h"
#include "services/core/content.h"
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
    co_return absl::OkStatus();
  }

  awaitable<absl::StatusOr<Upload>> Finish() override {
    call_->StartWritesDone();
    CO_RETURN_IF_ERROR(co_await End(*call_, client_.deadline()));
    co_return FromMessage(call_->response());
  }

  awaitable<absl::StatusOr<Blob>> FinishAndSeal(const Digest& digest) override {
    CO_RETURN_IF_ERROR((co_await Finish()).status());
    blob::v1::SealUploadRequest request;
    request.set_repository(header_.repository());
    request.set_upload_id(header_.upload_id());
    request.set_account(header_.account());
    request.set_digest(digest.ToString());
    CO_ASSIGN_OR_RETURN(const types::v1::Blob sealed,
                        (co_await client_.Call<blob::v1::SealUploadRequest, types::v1::Blob>(
                            &BlobClient::Async::SealUpload, request_id_, std::move(request))));
    co_return FromMessage(sealed);
  }

 private:
  const BlobClient& client_;
  const std::string request_id_;
  const AppendHeader header_;
  const std::shared_ptr<AppendCall> call_;
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
