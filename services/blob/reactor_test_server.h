#ifndef ENTREPOT_SERVICES_BLOB_REACTOR_TEST_SERVER_H_
#define ENTREPOT_SERVICES_BLOB_REACTOR_TEST_SERVER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/blob_service.h"
#include "services/blob/blob_stack.h"
#include "services/blob/blob_threads.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/grpc/grpc_channel.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {

// The blob service for tests: behind real gRPC, with files and a KV in memory.
class ReactorTestServer {
 public:
  ReactorTestServer() {
    Open();
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    Serve(endpoint);
    config::v1::Service target;
    target.set_target(server_->address());
    replicas_ = runtime::ServiceReplicas::Connect(target, registry_);
    stub_ = v1::BlobService::NewStub(runtime::MakeChannel(target, registry_));
  }

  // Stops the service and starts it again at the same address.
  void Restart() {
    Stop();
    StartAgain();
  }
  void Stop() {
    address_ = server_->address();
    server_.reset();
    service_.reset();
    executor_.reset();
    large_objects_.reset();
    long_calls_.reset();
    stack_.reset();
  }
  void StartAgain() {
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    endpoint.set_port(static_cast<uint32_t>(std::stoul(address_.substr(address_.rfind(':') + 1))));
    Open();
    Serve(endpoint);
  }

  v1::BlobService::Stub& stub() { return *stub_; }
  const std::shared_ptr<runtime::ServiceReplicas>& replicas() const { return replicas_; }
  UploadSessions& sessions() { return stack_->upload_sessions(); }
  ObjectStore& reader() { return stack_->objects(); }
  BlobStack& stack() { return *stack_; }
  FakeClock& clock() { return clock_; }
  // Have one thread each.
  runtime::Executor& large_objects() { return *large_objects_; }
  runtime::Executor& long_calls() { return *long_calls_; }
  prometheus::Registry& registry() { return *registry_; }

  // Stores an object through an upload session.
  StorageKey Store(absl::string_view bytes) {
    const UploadId id = sessions().Start(owner(), DigestAlgorithm::kSha256)->id;
    std::unique_ptr<UploadAppender> appender = *sessions().Append(owner(), id, {});
    EXPECT_OK(appender->Append(bytes));
    return appender->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes))->storage_key;
  }

  static UploadOwner owner() { return {.repository = *RepositoryName::Parse("team/app"), .account = "ada"}; }

 private:
  void Open() {
    registry_ = std::make_shared<prometheus::Registry>();
    BlobStackOptions options;
    options.directory = directory_.path() + "/blobs";
    runtime::FillDefaults(&options.uploads);
    options.upkeep_interval = absl::Hours(1);
    stack_ = *BlobStack::Open(options, {.kv = &kv_, .clock = &clock_, .registry = registry_});
    executor_ = std::make_unique<runtime::Executor>(4);
    long_calls_ = std::make_unique<runtime::Executor>(1);
    large_objects_ = std::make_unique<runtime::Executor>(1);
    service_ = std::make_unique<BlobService>(stack_.get(), BlobThreads{.requests = executor_.get(),
                                                                       .large_objects = large_objects_.get(),
                                                                       .long_calls = long_calls_.get()});
  }

  void Serve(const config::v1::Endpoint& endpoint) {
    server_ = *runtime::GrpcServer::Start(endpoint, {service_.get()}, registry_);
  }

  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  FakeClock clock_{absl::Now()};
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<BlobStack> stack_;
  std::unique_ptr<runtime::Executor> executor_;
  std::unique_ptr<runtime::Executor> large_objects_;
  std::unique_ptr<runtime::Executor> long_calls_;
  std::unique_ptr<BlobService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
  std::shared_ptr<runtime::ServiceReplicas> replicas_;
  std::unique_ptr<v1::BlobService::Stub> stub_;
  std::string address_;
};

// A text in which the content of each part depends on its position.
inline std::string CountingText(size_t size) {
  std::string text;
  text.reserve(size + 16);
  for (size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + " ";
  text.resize(size);
  return text;
}

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_REACTOR_TEST_SERVER_H_
