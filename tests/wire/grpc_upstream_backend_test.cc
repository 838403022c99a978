#include "gateway/backends/grpc/grpc_upstream_backend.h"

#include <memory>

#include "gateway/backends/testing/grpc_loopback.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "gateway/backends/testing/upstream_backend_conformance.h"
#include "services/runtime/grpc/grpc_channel.h"
#include "services/status/status_matchers.h"
#include "services/upstream/upstream_service.h"

namespace entrepot::gateway {
namespace {

// The real service in this process, through a socket.
class GrpcUnderTest : public UpstreamBackendUnderTest {
 public:
  UpstreamBackend& backend() override { return *backend_; }
  ScriptedCache& cache() override { return cache_; }

 private:
  ScriptedCache cache_;
  runtime::Executor executor_{2};
  runtime::Executor reads_{2};
  upstream::UpstreamService service_{&cache_, &executor_, &reads_};
  GrpcLoopback loopback_{&service_};
  GrpcCallRegistry calls_;
  std::unique_ptr<UpstreamBackend> backend_ = MakeGrpcUpstreamBackend(loopback_.Connect(), absl::Seconds(10), &calls_);
};

INSTANTIATE_TEST_SUITE_P(Grpc, UpstreamBackendConformanceTest,
                         testing::Values([] { return std::make_unique<GrpcUnderTest>(); }));

TEST(GrpcUpstreamBackendTest, ReportsAMissingService) {
  const auto registry = std::make_shared<prometheus::Registry>();
  config::v1::Service service;
  service.set_target("127.0.0.1:1");
  GrpcCallRegistry calls;
  const auto backend =
      MakeGrpcUpstreamBackend(runtime::MakeChannel(service, registry), absl::Milliseconds(200), &calls);
  boost::asio::io_context context;
  const RepositoryName repository = RepositoryName::Parse("docker.io/library/nginx").value();
  const Digest digest = Digest::Parse("sha256:" + std::string(64, '0')).value();
  EXPECT_THAT(RunAwaitable(context, backend->OpenBlob({"test"}, repository, digest, 0, 0, 1000)).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(RunAwaitable(context, backend->FindBlob({"test"}, repository, digest)).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::gateway
