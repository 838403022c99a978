#include "gateway/backends/local/local_blob_backend.h"

#include <memory>

#include "gateway/backends/testing/blob_backend_conformance.h"
#include "gateway/backends/testing/service_stack.h"

namespace entrepot::gateway {
namespace {

class LocalUnderTest : public BlobBackendUnderTest {
 public:
  BlobBackend& backend() override { return *backend_; }

 private:
  ServiceStack stack_;
  runtime::Executor executor_{4};
  std::unique_ptr<BlobBackend> backend_ = MakeLocalBlobBackend(stack_.blobs(), &executor_);
};

INSTANTIATE_TEST_SUITE_P(Local, BlobBackendConformanceTest,
                         testing::Values([] { return std::make_unique<LocalUnderTest>(); }));

}  // namespace
}  // namespace entrepot::gateway
