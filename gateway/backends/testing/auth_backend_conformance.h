#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTH_BACKEND_CONFORMANCE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_AUTH_BACKEND_CONFORMANCE_H_

#include <functional>
#include <memory>

#include "boost/asio/io_context.hpp"
#include "gateway/backends/auth_backend.h"
#include "gtest/gtest.h"

namespace entrepot::gateway {

// Provided by the test of an implementation: the backend over an AuthorityStack, with everything that it needs.
class AuthBackendUnderTest {
 public:
  virtual ~AuthBackendUnderTest() = default;
  virtual AuthBackend& backend() = 0;
};

using AuthBackendFactory = std::function<std::unique_ptr<AuthBackendUnderTest>()>;

// Tests the contract of AuthBackend. Every implementation instantiates it:
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
