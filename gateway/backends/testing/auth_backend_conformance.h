#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTH_BACKEND_CONFORMANCE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTH_BACKEND_CONFORMANCE_H_

#include <functional>
#include <memory>

#include "boost/asio/io_context.hpp"
#include "gateway/backends/auth_backend.h"
#include "gtest/gtest.h"

namespace entrepot::gateway {

// What a test of one implementation hands to the suite: the backend over an AuthorityStack, and all that it needs,
// alive.
class AuthBackendUnderTest {
 public:
  virtual ~AuthBackendUnderTest() = default;
  virtual AuthBackend& backend() = 0;
};

using AuthBackendFactory = std::function<std::unique_ptr<AuthBackendUnderTest>()>;

// The contract of AuthBackend, which every implementation keeps:
//
//   INSTANTIATE_TEST_SUITE_P(Local, AuthBackendConformanceTest, testing::Values(MakeIt));
class AuthBackendConformanceTest : public testing::TestWithParam<AuthBackendFactory> {
 protected:
  AuthBackend& backend() { return under_test_->backend(); }

  boost::asio::io_context context_;
  std::unique_ptr<AuthBackendUnderTest> under_test_ = GetParam()();
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTH_BACKEND_CONFORMANCE_H_
