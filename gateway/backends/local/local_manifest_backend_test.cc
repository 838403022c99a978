#include "gateway/backends/local/local_manifest_backend.h"

#include <memory>

#include "gateway/backends/testing/manifest_backend_conformance.h"
#include "gateway/backends/testing/service_stack.h"

namespace entrepot::gateway {
namespace {

class LocalUnderTest : public ManifestBackendUnderTest {
 public:
  ManifestBackend& backend() override { return *backend_; }
  manifest::RecordingMaintenance& maintenance() override { return *stack_.maintenance(); }

 private:
  ServiceStack stack_;
  runtime::Executor executor_{4};
  std::unique_ptr<ManifestBackend> backend_ =
      MakeLocalManifestBackend(stack_.catalog(), stack_.maintenance(), &executor_);
};

INSTANTIATE_TEST_SUITE_P(Local, ManifestBackendConformanceTest,
                         testing::Values([] { return std::make_unique<LocalUnderTest>(); }));

}  // namespace
}  // namespace entrepot::gateway
