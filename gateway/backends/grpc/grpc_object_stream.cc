#include "gateway/backends/grpc/grpc_object_stream.h"

#include <memory>
#include <optional>
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

using blob::v1::BlobService;
using blob::v1::ReadObjectRequest;
using blob::v1::ReadObjectResponse;
using boost::asio::awaitable;

using Async = BlobClient::Async;
using ReadCall = GrpcReadCall<BlobService, ReadObjectRequest, ReadObjectResponse>;

absl::Status TooSlow() {
  return OciError(OciErrorCode::kUnavailable, "the blob service sent nothing within its deadline");
}

class GrpcObjectStream : public ByteStream {
 public:
  GrpcObjectStream(const BlobClient& client, std::string request_id, ReadObjectRequest request)
      : client_(client), request_id_(std::move(request_id)), request_(std::move(request)) {}

  ~GrpcObjectStream() override { Abandon(); }

  awaitable<absl::StatusOr<absl::string_view>> Next() override {
    if (!has_message_) {
      if (whole()) co_return absl::string_view();
      CO_RETURN_IF_ERROR(co_await ReadMessage());
    }
    has_message_ = false;
    bytes_ = TakeBytes();
    // While these bytes are sent, the next message arrives.
    if (!whole()) call_->ReadNext();
    co_return bytes_;
  }

  // Awaits the message that is being read, which is not empty. Without a call it opens one.
  awaitable<absl::Status> ReadMessage() {
    GrpcCallAttempts attempts(client_.deadline());
    for (;;) {
      if (call_ == nullptr) co_await Open();
      if (!co_await call_->Wait(client_.deadline(), [&] { return !call_->reading(); })) {
        Abandon();
        co_return TooSlow();
      }
      if (!call_->at_end()) co_return Take();
      CO_ASSIGN_OR_RETURN(const grpc::Status status, co_await End());
      if (status.ok()) co_return absl::DataLossError("the object ended before its range did");
      if (!co_await attempts.WaitToRetry(status)) co_return FromGrpcStatus(status);
    }
  }

  // Instead of bytes, the service has sent the object's file.
  bool has_file() const { return call_ != nullptr && call_->message().has_file(); }
  ObjectFile file() const {
    const blob::v1::ObjectFile& file = call_->message().file();
    return {.path = file.path(),
            .inode = file.inode(),
            .size_bytes = file.size_bytes(),
            .modified_nanoseconds = file.modified_nanoseconds()};
  }
  // Empty unless the service has sent a URL instead of bytes.
  const std::string& url() const { return url_; }
  // The file does not help. Reads the bytes through the service.
  awaitable<absl::Status> ReadWithoutFile() {
    request_.clear_files_shared();
    request_.clear_redirected_client();
    call_->Release();
    call_.reset();
    return ReadMessage();
  }
  // The file or the URL is all that is needed.
  void EndWithoutBytes() {
    call_->Release();
    call_.reset();
  }

  bool whole() const { return request_.length_bytes() == 0; }
  // The bytes of the message that was read last.
  std::string TakeBytes() { return std::move(*call_->message().mutable_data()); }

 private:
  awaitable<void> Open() {
    const auto executor = co_await boost::asio::this_coro::executor;
    call_ = std::make_shared<ReadCall>(executor, client_.replicas(), client_.calls(), request_id_);
    call_->Start(&Async::ReadObject, request_);
  }

  // Changes the request to the rest of the object after the message.
  absl::Status Take() {
    if (request_.files_shared() && call_->message().has_file()) return absl::OkStatus();
    if (!request_.redirected_client().empty() && !call_->message().url().empty()) {
      url_ = std::move(*call_->message().mutable_url());
      return absl::OkStatus();
    }
    // A stream that has begun goes on as a stream.
    request_.clear_files_shared();
    request_.clear_redirected_client();
    const size_t size = call_->message().data().size();
    if (size == 0 || size > request_.length_bytes()) {
      return absl::InternalError(
          absl::StrCat("the blob service sent ", size, " bytes, but only ", request_.length_bytes(), " are left"));
    }
    request_.set_offset_bytes(request_.offset_bytes() + size);
    request_.set_length_bytes(request_.length_bytes() - size);
    has_message_ = true;
    return absl::OkStatus();
  }

  // Awaits the status of a call that has sent its last message.
  awaitable<absl::StatusOr<grpc::Status>> End() {
    const std::shared_ptr<ReadCall> call = std::move(call_);
    const std::optional<grpc::Status> status = co_await call->End(client_.deadline());
    if (!status.has_value()) co_return TooSlow();
    co_return *status;
  }

  void Abandon() {
    if (call_ == nullptr) return;
    // A call that has sent all bytes ends without being cancelled.
    whole() ? call_->Release() : call_->Cancel();
    call_.reset();
  }

  const BlobClient& client_;
  const std::string request_id_;
  ReadObjectRequest request_;  // For the rest of the object.
  std::shared_ptr<ReadCall> call_;
  std::string url_;
  bool has_message_ = false;  // It was not given yet.
  std::string bytes_;         // Given by Next() last.
};

}  // namespace

awaitable<absl::StatusOr<ObjectContent>> OpenGrpcObject(const BlobClient& client, std::string request_id,
                                                        ReadObjectRequest request, SharedObjectFiles* files) {
  if (files != nullptr && files->usable()) request.set_files_shared(true);
  const uint64_t offset_bytes = request.offset_bytes();
  const uint64_t length_bytes = request.length_bytes();
  auto stream = std::make_unique<GrpcObjectStream>(client, std::move(request_id), std::move(request));
  if (stream->whole()) co_return ObjectContent();
  CO_RETURN_IF_ERROR(co_await stream->ReadMessage());
  if (!stream->url().empty()) {
    stream->EndWithoutBytes();
    co_return ObjectContent{.url = stream->url()};
  }
  if (stream->has_file()) {
    absl::StatusOr<OwnedFd> file = files->Open(stream->file());
    if (file.ok()) {
      stream->EndWithoutBytes();
      co_return ObjectContent{.bytes = FileBody{*std::move(file), offset_bytes, length_bytes}};
    }
    CO_RETURN_IF_ERROR(co_await stream->ReadWithoutFile());
  }
  if (stream->whole()) co_return ObjectContent{.bytes = stream->TakeBytes()};
  co_return ObjectContent{.bytes = StreamBody{std::move(stream), length_bytes}};
}

}  // namespace entrepot::gateway
