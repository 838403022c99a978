#include "services/runtime/grpc/grpc_test_service.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "services/runtime/grpc/grpc_request_id.h"

namespace entrepot::runtime {
namespace {

using testing::v1::CallRequest;
using testing::v1::CallResponse;
using testing::v1::Chunk;
using testing::v1::DownloadRequest;
using testing::v1::UploadResponse;

class FinishOnCancel : public grpc::ServerUnaryReactor {
 public:
  void OnCancel() override { Finish(grpc::Status(grpc::StatusCode::ABORTED, "cancelled")); }
  void OnDone() override { delete this; }
};

class UploadReactor : public grpc::ServerReadReactor<Chunk> {
 public:
  explicit UploadReactor(UploadResponse* response) : response_(response) { StartRead(&chunk_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    response_->set_size(response_->size() + chunk_.data().size());
    StartRead(&chunk_);
  }
  void OnDone() override { delete this; }

 private:
  UploadResponse* const response_;
  Chunk chunk_;
};

class DownloadReactor : public grpc::ServerWriteReactor<Chunk> {
 public:
  explicit DownloadReactor(const DownloadRequest& request)
      : left_(request.size()), chunk_bytes_(request.chunk_bytes()) {
    Next();
  }

  void OnWriteDone(bool ok) override { ok ? Next() : Finish(grpc::Status::OK); }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_ == 0) {
      Finish(grpc::Status::OK);
      return;
    }
    const uint64_t size = std::min(left_, chunk_bytes_);
    left_ -= size;
    chunk_.mutable_data()->resize(size, 'x');
    StartWrite(&chunk_);
  }

  uint64_t left_;
  const uint64_t chunk_bytes_;
  Chunk chunk_;
};

}  // namespace

grpc::ServerUnaryReactor* GrpcTestService::Call(grpc::CallbackServerContext* context, const CallRequest* request,
                                                CallResponse* response) {
  if (request->wait_for_cancel()) {
    auto* reactor = new FinishOnCancel;
    absl::MutexLock lock(&mutex_);
    ++waiting_;
    return reactor;
  }
  response->set_text(request->text());
  response->set_request_id(RequestIdOf(*context));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status(static_cast<grpc::StatusCode>(request->code()), request->text()));
  return reactor;
}

grpc::ServerReadReactor<Chunk>* GrpcTestService::Upload(grpc::CallbackServerContext*, UploadResponse* response) {
  return new UploadReactor(response);
}

grpc::ServerWriteReactor<Chunk>* GrpcTestService::Download(grpc::CallbackServerContext*,
                                                           const DownloadRequest* request) {
  return new DownloadReactor(*request);
}

bool GrpcTestService::AwaitWaiting(int count) {
  absl::MutexLock lock(&mutex_);
  const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return waiting_ >= count; };
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
}

}  // namespace entrepot::runtime
