#include "gateway/backends/grpc_manifest_backend.h"

#include <memory>

#include "gateway/backends/testing/manifest_backend_conformance.h"
#include "gateway/backends/testing/service_stack.h"
#include "services/manifest/manifest_service.h"
#include "services/runtime/grpc_channel.h"
#include "services/runtime/grpc_server.h"

namespace entrepot::gateway {
namespace {

// Against the real service, in this process, through a socket.
class GrpcUnderTest : public ManifestBackendUnderTest {
 public:
  GrpcUnderTest() {
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    server_ = runtime::GrpcServer::Start(endpoint, {&service_}, registry_).value();
    config::v1::Service service;
    service.set_target(server_->address());
    backend_ = MakeGrpcManifestBackend(runtime::MakeChannel(service, registry_), absl::Seconds(10), &calls_);
  }
  ManifestBackend& backend() override { return *backend_; }

 private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  ServiceStack stack_;
  runtime::Executor executor_{4};
  manifest::ManifestService service_{stack_.catalog(), &executor_};
  std::unique_ptr<runtime::GrpcServer> server_;
  GrpcCalls calls_;
  std::unique_ptr<ManifestBackend> backend_;
};

INSTANTIATE_TEST_SUITE_P(Grpc, ManifestBackendConformanceTest,
                         testing::Values([] { return std::make_unique<GrpcUnderTest>(); }));

}  // namespace
}  // namespace entrepot::gateway
