#include "gateway/backends/grpc/grpc_upstream_backend.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "entrepot/upstream/v1/upstream_service.grpc.pb.h"
#include "gateway/backends/testing/grpc_loopback.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "gateway/backends/testing/upstream_backend_conformance.h"
#include "services/core/time/stopwatch.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/status/status_matchers.h"
#include "services/upstream/upstream_service.h"

namespace entrepot::gateway {
namespace {

// The real service in this process, through a socket.
class GrpcUnderTest : public UpstreamBackendUnderTest {
 public:
  UpstreamBackend& backend() override { return *backend_; }
  ScriptedCache& cache() override { return cache_; }
  RecordingManagement& management() override { return management_; }

 private:
  ScriptedCache cache_;
  RecordingManagement management_;
  runtime::Executor executor_{2};
  runtime::Executor reads_{2};
  upstream::UpstreamService service_{&cache_, &management_, &executor_, &reads_};
  GrpcLoopback loopback_{&service_};
  GrpcCallRegistry calls_;
  std::unique_ptr<UpstreamBackend> backend_ = MakeGrpcUpstreamBackend(loopback_.Connect(), absl::Seconds(10), &calls_);
};

INSTANTIATE_TEST_SUITE_P(Grpc, UpstreamBackendConformanceTest,
                         testing::Values([] { return std::make_unique<GrpcUnderTest>(); }));

TEST(GrpcUpstreamBackendTest, HalvesTheMemoryBetweenTwoMessages) {
  // Outlives the calls, as in all tests here.
  boost::asio::io_context context;
  GrpcUnderTest under_test;
  const auto fetch = std::make_shared<ScriptedFetch>();
  const RepositoryName repository = RepositoryName::Parse("docker.io/library/nginx").value();
  const Digest digest = Digest::Parse("sha256:" + std::string(64, '0')).value();
  under_test.cache().fetches[digest.ToString()] = fetch;
  fetch->Answer(50'000);
  fetch->Arrive(std::string(50'000, 'x'));
  ASSERT_OK_AND_ASSIGN(const UpstreamBlob blob, RunAwaitable(context, under_test.backend().OpenBlob(
                                                                          {"test"}, repository, digest, 0, 0, 20'000)));
  ASSERT_TRUE(blob.body.has_value());
  for (uint64_t left = 50'000; left > 0;) {
    ASSERT_OK_AND_ASSIGN(const absl::string_view piece,
                         RunAwaitable(context, std::get<StreamBody>(*blob.body).stream->Next()));
    EXPECT_EQ(piece.size(), std::min<uint64_t>(left, 10'000));
    left -= piece.size();
  }
}

TEST(GrpcUpstreamBackendTest, ReportsAMissingService) {
  boost::asio::io_context context;
  const auto registry = std::make_shared<prometheus::Registry>();
  config::v1::Service service;
  service.set_target("127.0.0.1:1");
  GrpcCallRegistry calls;
  const auto backend =
      MakeGrpcUpstreamBackend(runtime::ServiceReplicas::Connect(service, registry), absl::Milliseconds(200), &calls);
  const RepositoryName repository = RepositoryName::Parse("docker.io/library/nginx").value();
  const Digest digest = Digest::Parse("sha256:" + std::string(64, '0')).value();
  EXPECT_THAT(RunAwaitable(context, backend->OpenBlob({"test"}, repository, digest, 0, 0, 1000)).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(RunAwaitable(context, backend->FindBlob({"test"}, repository, digest)).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

// A service whose fetch waits for longer than the gateway waits for one message.
class WaitingService : public upstream::v1::UpstreamService::Service {
 public:
  grpc::Status ReadBlob(grpc::ServerContext*, const upstream::v1::ReadUpstreamBlobRequest*,
                        grpc::ServerWriter<upstream::v1::ReadUpstreamBlobResponse>* writer) override {
    upstream::v1::ReadUpstreamBlobResponse response;
    response.set_waiting(true);
    for (const Stopwatch stopwatch; stopwatch.Elapsed() < 3 * kDeadline;) {
      absl::SleepFor(kDeadline / 10);
      writer->Write(response);
    }
    response.Clear();
    response.set_size_bytes(5);
    writer->Write(response);
    response.Clear();
    response.set_data("bytes");
    writer->Write(response);
    return grpc::Status::OK;
  }

  static constexpr absl::Duration kDeadline = absl::Seconds(1);
};

TEST(GrpcUpstreamBackendTest, WaitsForAFetchThatWaits) {
  boost::asio::io_context context;
  WaitingService service;
  GrpcLoopback loopback(&service);
  GrpcCallRegistry calls;
  const auto backend = MakeGrpcUpstreamBackend(loopback.Connect(), WaitingService::kDeadline, &calls);
  const Digest digest = Digest::Parse("sha256:" + std::string(64, '0')).value();
  ASSERT_OK_AND_ASSIGN(const UpstreamBlob blob,
                       RunAwaitable(context, backend->OpenBlob({"test"}, RepositoryName::Parse("up/app").value(),
                                                               digest, 0, 0, 100'000)));
  EXPECT_EQ(blob.size_bytes, 5u);
  ASSERT_TRUE(blob.body.has_value());
  EXPECT_THAT(RunAwaitable(context, std::get<StreamBody>(*blob.body).stream->Next()), IsOkAndHolds("bytes"));
}

}  // namespace
}  // namespace entrepot::gateway
