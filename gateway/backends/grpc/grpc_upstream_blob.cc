#include "gateway/backends/grpc/grpc_upstream_blob.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/this_coro.hpp"
#include "gateway/backends/grpc/grpc_read_call.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {
namespace {

using boost::asio::awaitable;
using upstream::v1::ReadUpstreamBlobRequest;
using upstream::v1::ReadUpstreamBlobResponse;
using upstream::v1::UpstreamService;
using Async = UpstreamClient::Async;
using ReadCall = GrpcReadCall<UpstreamService, ReadUpstreamBlobRequest, ReadUpstreamBlobResponse>;

grpc::Status TooSlow() {
  return {grpc::StatusCode::DEADLINE_EXCEEDED, "the upstream service sent nothing within its deadline"};
}

class GrpcUpstreamStream : public ByteStream {
 public:
  GrpcUpstreamStream(const UpstreamClient& client, std::string request_id, ReadUpstreamBlobRequest request)
      : client_(client), request_id_(std::move(request_id)), request_(std::move(request)) {}

  ~GrpcUpstreamStream() override { Abandon(); }

  // Begins the call and awaits its first message, which has the size of the blob and no bytes.
  awaitable<absl::StatusOr<UpstreamBlob>> ReadHead() {
    GrpcCallAttempts attempts(client_.deadline());
    for (;;) {
      const auto executor = co_await boost::asio::this_coro::executor;
      call_ = std::make_shared<ReadCall>(executor, client_.replicas(), client_.calls(), request_id_);
      call_->Start(&Async::ReadBlob, request_);
      grpc::Status status = co_await Await();
      while (status.ok() && call_ != nullptr && call_->message().waiting()) {
        call_->ReadNext();
        status = co_await Await();
      }
      if (status.ok()) {
        if (call_ == nullptr) co_return absl::InternalError("the upstream service sent no message");
        co_return UpstreamBlob{.size_bytes = call_->message().size_bytes(), .stored = call_->message().stored()};
      }
      if (!co_await attempts.WaitToRetry(status)) co_return FromGrpcStatus(status);
    }
  }

  // What is to be read, once the size is known. Changes the request to it.
  uint64_t LimitTo(uint64_t size_bytes) {
    size_bytes_ = size_bytes;
    left_bytes_ = size_bytes - std::min(size_bytes, request_.offset_bytes());
    if (request_.length_bytes() != 0) left_bytes_ = std::min(left_bytes_, request_.length_bytes());
    request_.set_length_bytes(left_bytes_);
    return left_bytes_;
  }

  // Awaits that the service has fetched a blob of which no bytes are to be read.
  awaitable<absl::Status> AwaitEnd() {
    call_->ReadNext();
    const grpc::Status status = co_await Await();
    if (!status.ok()) co_return FromGrpcStatus(status);
    if (call_ != nullptr) co_return absl::InternalError("the upstream service sent bytes of an empty blob");
    co_return absl::OkStatus();
  }

  awaitable<absl::StatusOr<absl::string_view>> Next() override {
    if (left_bytes_ == 0) co_return absl::string_view();
    GrpcCallAttempts attempts(client_.deadline());
    for (;;) {
      if (call_ == nullptr) CO_RETURN_IF_ERROR(co_await Reopen());
      const grpc::Status status = co_await Await();
      if (status.ok()) break;
      if (!co_await attempts.WaitToRetry(status)) co_return FromGrpcStatus(status);
    }
    if (call_ == nullptr) co_return absl::DataLossError("the blob ended before its length");
    CO_RETURN_IF_ERROR(Take());
    // While these bytes are sent, the next message arrives.
    ReadAhead();
    co_return bytes_;
  }

  // Begins to read the next message, unless nothing is left.
  void ReadAhead() {
    if (left_bytes_ != 0) call_->ReadNext();
  }

  void Abandon() {
    if (call_ == nullptr) return;
    // A call that has sent all bytes ends without being cancelled.
    left_bytes_ == 0 ? call_->Release() : call_->Cancel();
    call_.reset();
  }

 private:
  // OK: the call has a message, or it ended with OK and call_ is null.
  awaitable<grpc::Status> Await() {
    if (!co_await call_->Wait(client_.deadline(), [&] { return !call_->reading(); })) {
      call_->Cancel();
      call_.reset();
      co_return TooSlow();
    }
    if (!call_->at_end()) co_return grpc::Status::OK;
    const std::shared_ptr<ReadCall> call = std::move(call_);
    co_return (co_await call->End(client_.deadline())).value_or(TooSlow());
  }

  // Makes the call again for the rest.
  awaitable<absl::Status> Reopen() {
    CO_ASSIGN_OR_RETURN(const UpstreamBlob head, co_await ReadHead());
    // The client asks again for what it lacks, and gets it from the blob service.
    if (head.stored)
      co_return OciError(OciErrorCode::kUnavailable, "the blob was stored while a client read its fetch");
    if (head.size_bytes != size_bytes_) co_return absl::DataLossError("the size of the blob has changed");
    ReadAhead();
    co_return absl::OkStatus();
  }

  // Takes the bytes of the message, and changes the request to the rest of the blob after them.
  absl::Status Take() {
    bytes_ = std::move(*call_->message().mutable_data());
    const size_t size = bytes_.size();
    if (size == 0 || size > left_bytes_) {
      return absl::InternalError(
          absl::StrCat("the upstream service sent ", size, " bytes, but only ", left_bytes_, " are left"));
    }
    left_bytes_ -= size;
    request_.set_offset_bytes(request_.offset_bytes() + size);
    request_.set_length_bytes(left_bytes_);
    return absl::OkStatus();
  }

  const UpstreamClient& client_;
  const std::string request_id_;
  ReadUpstreamBlobRequest request_;  // For the rest of the blob.
  uint64_t size_bytes_ = 0;          // Of the whole blob.
  uint64_t left_bytes_ = 0;
  // After the head, until nothing is left: reads the next message, or has it.
  std::shared_ptr<ReadCall> call_;
  std::string bytes_;  // Given by Next() last.
};

}  // namespace

awaitable<absl::StatusOr<UpstreamBlob>> OpenGrpcUpstreamBlob(const UpstreamClient& client, std::string request_id,
                                                             ReadUpstreamBlobRequest request) {
  auto stream = std::make_unique<GrpcUpstreamStream>(client, std::move(request_id), std::move(request));
  CO_ASSIGN_OR_RETURN(UpstreamBlob blob, co_await stream->ReadHead());
  if (blob.stored) co_return blob;
  const uint64_t length_bytes = stream->LimitTo(blob.size_bytes);
  if (blob.size_bytes == 0) {
    CO_RETURN_IF_ERROR(co_await stream->AwaitEnd());
    blob.stored = true;
    co_return blob;
  }
  stream->ReadAhead();
  blob.body = StreamBody{std::move(stream), length_bytes};
  co_return blob;
}

}  // namespace entrepot::gateway
