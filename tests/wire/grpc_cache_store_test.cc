#include "services/upstream/grpc_cache_store.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "entrepot/manifest/v1/manifest_service.grpc.pb.h"
#include "gateway/backends/testing/grpc_loopback.h"
#include "gateway/backends/testing/service_stack.h"
#include "gtest/gtest.h"
#include "services/blob/blob_service.h"
#include "services/core/caller.h"
#include "services/core/digester.h"
#include "services/core/room_request.h"
#include "services/core/time/eventually.h"
#include "services/core/upload.h"
#include "services/manifest/caller_check.h"
#include "services/manifest/manifest_service.h"
#include "services/runtime/threads/executor.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"
#include "services/upstream/testing/cache_store_conformance.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(10);

// The real services in this process, through sockets. The registry has accounts.
class GrpcUnderTest : public CacheStoreUnderTest {
 public:
  CacheStore& store() override { return *store_; }
  BlobStorage& objects() override { return stack_.blobs()->storage(); }
  std::vector<RoomRequest> room_requests() override { return stack_.maintenance()->room_requests(); }

  void Push(const RepositoryName& repository, const std::string& bytes) override {
    const UploadOwner owner{.repository = repository, .account = "ada"};
    blob::UploadSessions& sessions = stack_.blobs()->upload_sessions();
    const Upload upload = sessions.Start(owner, DigestAlgorithm::kSha256).value();
    const auto appender = sessions.Append(owner, upload.id, {}).value();
    EXPECT_OK(appender->Append(bytes));
    const Blob blob = appender->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes)).value();
    EXPECT_OK(stack_.catalog()->blobs().Commit(Caller(), repository, blob));
  }

 private:
  gateway::ServiceStack stack_;
  runtime::Executor executor_{4};
  const std::unique_ptr<manifest::CallerCheck> callers_ =
      manifest::CallerCheck::Open(stack_.kv(), &executor_, {.policy_needs_accounts = true}).value();
  blob::BlobService blobs_{stack_.blobs(),
                           {.requests = &executor_, .large_objects = &executor_, .long_calls = &executor_}};
  manifest::ManifestService manifests_{stack_.catalog(), stack_.maintenance(), &executor_, stack_.deletions(),
                                       callers_.get()};
  gateway::GrpcLoopback blob_loopback_{&blobs_};
  gateway::GrpcLoopback manifest_loopback_{&manifests_};
  const std::unique_ptr<CacheStore> store_ =
      MakeGrpcCacheStore(blob_loopback_.Connect(), manifest_loopback_.Connect(), kDeadline);
};

INSTANTIATE_TEST_SUITE_P(Grpc, CacheStoreConformanceTest,
                         testing::Values([] { return std::make_unique<GrpcUnderTest>(); }));

const Digest kDigest = ComputeDigest(DigestAlgorithm::kSha256, "layer");
RepositoryName Repo() { return RepositoryName::Parse("up/image").value(); }

TEST(GrpcCacheStoreTest, ReportsMissingServices) {
  config::v1::Service nowhere;
  // Connections to port 1 are refused at once.
  nowhere.set_target("127.0.0.1:1");
  const auto channel = runtime::ServiceReplicas::Connect(nowhere, std::make_shared<prometheus::Registry>());
  const auto store = MakeGrpcCacheStore(channel, channel, absl::Milliseconds(100));
  EXPECT_THAT(store->FindBlob(Repo(), kDigest), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(store->FindManifest(Repo(), kDigest, true), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(store->WriteBlob(Repo(), "up", kDigest), IsOciError(OciErrorCode::kUnavailable));
}

// A manifest service that makes room until the call is cancelled.
class MakesRoomForEver : public manifest::v1::ManifestService::Service {
 public:
  grpc::Status MakeRoom(grpc::ServerContext* context, const manifest::v1::MakeRoomRequest*,
                        types::v1::CacheEviction*) override {
    running_ = true;
    EXPECT_TRUE(Eventually([&] { return context->IsCancelled(); }));
    return {grpc::StatusCode::CANCELLED, "cancelled"};
  }
  bool running() const { return running_; }

 private:
  std::atomic<bool> running_{false};
};

TEST(GrpcCacheStoreTest, StopEndsMakingRoom) {
  MakesRoomForEver service;
  gateway::GrpcLoopback loopback(&service);
  const auto store = MakeGrpcCacheStore(loopback.Connect(), loopback.Connect(), kDeadline);
  RoomRequest request;
  request.upstream = "up";
  absl::Status status;
  std::thread caller([&] { status = store->MakeRoom(request).status(); });
  EXPECT_TRUE(Eventually([&] { return service.running(); }));
  store->Stop();
  caller.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(store->MakeRoom(request).status().code(), absl::StatusCode::kCancelled);
}

// A blob service whose first append keeps only a part of the bytes and breaks off.
class BreaksOffOnce : public blob::v1::BlobService::Service {
 public:
  grpc::Status StartUpload(grpc::ServerContext*, const blob::v1::StartUploadRequest*,
                           blob::v1::Upload* response) override {
    response->set_upload_id(std::string(32, '0'));
    return grpc::Status::OK;
  }
  grpc::Status GetUpload(grpc::ServerContext*, const blob::v1::GetUploadRequest*, blob::v1::Upload* response) override {
    response->set_offset_bytes(bytes_.size());
    return grpc::Status::OK;
  }
  grpc::Status AppendToUpload(grpc::ServerContext*, grpc::ServerReader<blob::v1::AppendToUploadRequest>* reader,
                              blob::v1::Upload*) override {
    blob::v1::AppendToUploadRequest message;
    reader->Read(&message);
    EXPECT_EQ(message.header().offset_bytes(), bytes_.size());
    while (reader->Read(&message)) {
      bytes_ += message.data();
      if (!broken_) {
        broken_ = true;
        return {grpc::StatusCode::UNAVAILABLE, "breaks off"};
      }
    }
    return grpc::Status::OK;
  }
  grpc::Status SealUpload(grpc::ServerContext*, const blob::v1::SealUploadRequest*, types::v1::Blob*) override {
    return {grpc::StatusCode::INTERNAL, "sealed"};
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  bool broken_ = false;
};

TEST(GrpcCacheStoreTest, ContinuesAnAppendThatBrokeOff) {
  BreaksOffOnce service;
  gateway::GrpcLoopback loopback(&service);
  const auto store = MakeGrpcCacheStore(loopback.Connect(), loopback.Connect(), kDeadline);
  const std::string bytes(3 * kAppendBytes + 5, 'x');
  {
    ASSERT_OK_AND_ASSIGN(const auto writer, store->WriteBlob(Repo(), "up", kDigest));
    ASSERT_OK(writer->Append(bytes));
    EXPECT_EQ(writer->Commit().message(), "sealed");
  }
  EXPECT_EQ(service.bytes() == bytes, true);
}

}  // namespace
}  // namespace entrepot::upstream
