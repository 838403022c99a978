#include "gateway/backends/grpc/grpc_manifest_backend.h"

#include <memory>

#include "gateway/backends/testing/grpc_loopback.h"
#include "gateway/backends/testing/manifest_backend_conformance.h"
#include "gateway/backends/testing/service_stack.h"
#include "services/manifest/manifest_service.h"

namespace entrepot::gateway {
namespace {

// The real service in this process, through a socket.
class GrpcUnderTest : public ManifestBackendUnderTest {
 public:
  ManifestBackend& backend() override { return *backend_; }
  manifest::RecordingMaintenance& maintenance() override { return *stack_.maintenance(); }

 private:
  ServiceStack stack_;
  runtime::Executor executor_{4};
  manifest::ManifestService service_{stack_.catalog(), stack_.maintenance(), &executor_, stack_.deletions()};
  GrpcLoopback loopback_{&service_};
  GrpcCallRegistry calls_;
  std::unique_ptr<ManifestBackend> backend_ = MakeGrpcManifestBackend(loopback_.Connect(), absl::Seconds(10), &calls_);
};

INSTANTIATE_TEST_SUITE_P(Grpc, ManifestBackendConformanceTest,
                         testing::Values([] { return std::make_unique<GrpcUnderTest>(); }));

}  // namespace
}  // namespace entrepot::gateway
