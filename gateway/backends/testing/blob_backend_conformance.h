#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_BLOB_BACKEND_CONFORMANCE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_BLOB_BACKEND_CONFORMANCE_H_

#include <functional>
#include <memory>

#include "boost/asio/io_context.hpp"
#include "gateway/backends/blob_backend.h"
#include "gtest/gtest.h"

namespace entrepot::gateway {

// Provided by the test of an implementation: the backend, with everything that it needs.
class BlobBackendUnderTest {
 public:
  virtual ~BlobBackendUnderTest() = default;
  virtual BlobBackend& backend() = 0;
};

// Makes a backend over empty services.
using BlobBackendFactory = std::function<std::unique_ptr<BlobBackendUnderTest>()>;

// Tests the contract of BlobBackend. Every implementation instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Local, BlobBackendConformanceTest, testing::Values(MakeIt));
class BlobBackendConformanceTest : public testing::TestWithParam<BlobBackendFactory> {
 protected:
  BlobBackend& backend() { return under_test_->backend(); }

  boost::asio::io_context context_;
  std::unique_ptr<BlobBackendUnderTest> under_test_ = GetParam()();
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_BLOB_BACKEND_CONFORMANCE_H_
