#include "gateway/backends/grpc/grpc_blob_backend.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <variant>

#include "gateway/backends/grpc/shared_object_files.h"
#include "gateway/backends/testing/blob_backend_conformance.h"
#include "gateway/backends/testing/grpc_loopback.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "gateway/backends/testing/service_stack.h"
#include "gmock/gmock.h"
#include "prometheus/text_serializer.h"
#include "services/blob/blob_service.h"
#include "services/core/digester.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

std::unique_ptr<BlobBackend> Connect(const std::string& target, absl::Duration deadline, GrpcCallRegistry* calls) {
  config::v1::Service service;
  service.set_target(target);
  return MakeGrpcBlobBackend(runtime::ServiceReplicas::Connect(service, std::make_shared<prometheus::Registry>()),
                             deadline, calls);
}

// The real service in this process, through a socket.
class GrpcUnderTest : public BlobBackendUnderTest {
 public:
  BlobBackend& backend() override { return *backend_; }
  const std::string& address() const { return loopback_.address(); }

 private:
  ServiceStack stack_;
  runtime::Executor executor_{4};
  blob::BlobService service_{stack_.blobs(),
                             {.requests = &executor_, .large_objects = &executor_, .long_calls = &executor_}};
  GrpcLoopback loopback_{&service_};
  GrpcCallRegistry calls_;
  std::unique_ptr<BlobBackend> backend_ = MakeGrpcBlobBackend(loopback_.Connect(), absl::Seconds(10), &calls_);
};

// The same, whose files the gateway opens itself.
class SharedFilesUnderTest : public BlobBackendUnderTest {
 public:
  // `place` is where the gateway looks for the directory of blobs.
  explicit SharedFilesUnderTest(const std::string& place = "/blobs") {
    backend_ = MakeGrpcBlobBackend(loopback_.Connect(), absl::Seconds(10), &calls_,
                                   std::make_unique<SharedObjectFiles>(stack_.directory() + place, registry_));
  }
  BlobBackend& backend() override { return *backend_; }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

 private:
  ServiceStack stack_;
  runtime::Executor executor_{4};
  blob::BlobService service_{stack_.blobs(),
                             {.requests = &executor_, .large_objects = &executor_, .long_calls = &executor_}};
  GrpcLoopback loopback_{&service_};
  GrpcCallRegistry calls_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<BlobBackend> backend_;
};

INSTANTIATE_TEST_SUITE_P(GrpcWithSharedFiles, BlobBackendConformanceTest,
                         testing::Values([] { return std::make_unique<SharedFilesUnderTest>(); }));

INSTANTIATE_TEST_SUITE_P(Grpc, BlobBackendConformanceTest,
                         testing::Values([] { return std::make_unique<GrpcUnderTest>(); }));

const CallContext kCall{"test"};

RepositoryName Repo() { return RepositoryName::Parse("a").value(); }

// Stores an object, and reads a part of it.
absl::StatusOr<ObjectContent> StoreAndRead(boost::asio::io_context& context, BlobBackend& backend,
                                           const std::string& bytes) {
  const Upload upload = RunAwaitable(context, backend.StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)).value();
  std::unique_ptr<UploadStream> stream =
      RunAwaitable(context, backend.AppendToUpload(kCall, Repo(), upload.id, {.last = true})).value();
  EXPECT_OK(RunAwaitable(context, stream->Append(bytes)));
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, bytes);
  absl::StatusOr<Blob> sealed = RunAwaitable(context, stream->FinishAndSeal(digest));
  EXPECT_OK(sealed);
  EXPECT_EQ(sealed->digest, digest);
  return RunAwaitable(context, backend.ReadObject(kCall, *sealed, {5, 1000}, BlobBackend::kReadMemoryBytes, false));
}

TEST(GrpcBlobBackendTest, ReadsFilesThatItShares) {
  SharedFilesUnderTest under_test;
  boost::asio::io_context context;
  const std::string bytes(1'000'000, 'x');
  const absl::StatusOr<ObjectContent> content = StoreAndRead(context, under_test.backend(), bytes);
  ASSERT_OK(content);
  const auto* const file = std::get_if<FileBody>(&content->bytes);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->offset_bytes, 5u);
  EXPECT_EQ(file->length_bytes, 1000u);
  std::string read(1000, '\0');
  EXPECT_EQ(::pread(file->file.get(), read.data(), read.size(), 5), 1000);
  EXPECT_EQ(read, bytes.substr(5, 1000));
}

TEST(GrpcBlobBackendTest, ReadsThroughTheServiceWhatItDoesNotShare) {
  SharedFilesUnderTest under_test("/elsewhere");
  boost::asio::io_context context;
  const std::string bytes(1'000'000, 'x');
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<ObjectContent> content = StoreAndRead(context, under_test.backend(), bytes);
    ASSERT_OK(content);
    EXPECT_EQ(std::get<std::string>(content->bytes), bytes.substr(5, 1000));
  }
  // The second read did not try again.
  EXPECT_THAT(under_test.Metrics(), testing::HasSubstr("entrepot_gateway_object_files_total{result=\"refused\"} 1"));
}

TEST(GrpcBlobBackendTest, ReportsAMissingService) {
  GrpcCallRegistry calls;
  boost::asio::io_context context;
  // Connections to port 1 are refused at once.
  const auto backend = Connect("127.0.0.1:1", absl::Milliseconds(100), &calls);
  const UploadId id = UploadId::Parse(std::string(32, '0')).value();
  EXPECT_THAT(RunAwaitable(context, backend->GetUpload(kCall, Repo(), id)), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(RunAwaitable(context, backend->AppendToUpload(kCall, Repo(), id, {})),
              IsOciError(OciErrorCode::kUnavailable));
  const Blob blob{ComputeDigest(DigestAlgorithm::kSha256, "x"), 1, StorageKey::Random(StorageTier::kFile)};
  EXPECT_THAT(RunAwaitable(context, backend->ReadObject(kCall, blob, {0, 1}, BlobBackend::kReadMemoryBytes, false)),
              IsOciError(OciErrorCode::kUnavailable));
}

// A process that ends stops its coroutines in the middle of calls.
TEST(GrpcBlobBackendTest, CancelsCallsUnderWay) {
  GrpcUnderTest under_test;
  GrpcCallRegistry calls;
  const auto backend = Connect(under_test.address(), absl::Seconds(100), &calls);
  auto context = std::make_unique<boost::asio::io_context>();
  const Upload upload = RunAwaitable(*context, backend->StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)).value();
  std::unique_ptr<UploadStream> stream =
      RunAwaitable(*context, backend->AppendToUpload(kCall, Repo(), upload.id, {})).value();
  EXPECT_OK(RunAwaitable(*context, stream->Append("abc")));
  // The stream is idle: only its response is outstanding. Other calls have just begun.
  context->restart();
  for (int i = 0; i < 3; ++i) {
    boost::asio::co_spawn(*context, backend->GetUpload(kCall, Repo(), upload.id),
                          [](std::exception_ptr, absl::StatusOr<Upload>) { FAIL() << "resumed"; });
  }
  context->poll_one();
  calls.CancelAll();
  stream.reset();
  context.reset();
}

}  // namespace
}  // namespace entrepot::gateway
