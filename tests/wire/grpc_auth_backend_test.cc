#include "gateway/backends/grpc/grpc_auth_backend.h"

#include <memory>

#include "gateway/backends/testing/auth_backend_conformance.h"
#include "gateway/backends/testing/authority_stack.h"
#include "gateway/backends/testing/grpc_loopback.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "services/auth/auth_service.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

// The real service in this process, through a socket.
class GrpcUnderTest : public AuthBackendUnderTest {
 public:
  AuthBackend& backend() override { return *backend_; }

 private:
  AuthorityStack stack_;
  runtime::Executor executor_{4};
  auth::AuthService service_{stack_.authority(), &executor_};
  GrpcLoopback loopback_{&service_};
  GrpcCallRegistry calls_;
  std::unique_ptr<AuthBackend> backend_ = MakeGrpcAuthBackend(loopback_.Connect(), absl::Seconds(10), &calls_);
};

INSTANTIATE_TEST_SUITE_P(Grpc, AuthBackendConformanceTest,
                         testing::Values([] { return std::make_unique<GrpcUnderTest>(); }));

TEST(GrpcAuthBackendTest, SendsAChangeOnceAndReportsAMissingService) {
  const auto registry = std::make_shared<prometheus::Registry>();
  config::v1::Service service;
  service.set_target("127.0.0.1:1");
  GrpcCallRegistry calls;
  const auto backend =
      MakeGrpcAuthBackend(runtime::ServiceReplicas::Connect(service, registry), absl::Seconds(10), &calls);
  boost::asio::io_context context;
  auth::v1::AdministerRequest create;
  create.mutable_create_robot()->set_name("deploy");
  EXPECT_THAT(RunAwaitable(context, backend->Administer({"test"}, create)).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::gateway
