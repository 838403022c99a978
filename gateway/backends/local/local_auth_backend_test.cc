#include "gateway/backends/local/local_auth_backend.h"

#include <memory>

#include "gateway/backends/testing/auth_backend_conformance.h"
#include "gateway/backends/testing/authority_stack.h"

namespace entrepot::gateway {
namespace {

class LocalUnderTest : public AuthBackendUnderTest {
 public:
  AuthBackend& backend() override { return *backend_; }

 private:
  AuthorityStack stack_;
  runtime::Executor executor_{4};
  std::unique_ptr<AuthBackend> backend_ = MakeLocalAuthBackend(stack_.authority(), &executor_);
};

INSTANTIATE_TEST_SUITE_P(Local, AuthBackendConformanceTest,
                         testing::Values([] { return std::make_unique<LocalUnderTest>(); }));

}  // namespace
}  // namespace entrepot::gateway
