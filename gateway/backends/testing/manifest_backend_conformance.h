#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_MANIFEST_BACKEND_CONFORMANCE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_MANIFEST_BACKEND_CONFORMANCE_H_

#include <functional>
#include <memory>

#include "boost/asio/io_context.hpp"
#include "gateway/backends/manifest_backend.h"
#include "gtest/gtest.h"
#include "services/manifest/testing/recording_maintenance.h"

namespace entrepot::gateway {

// Provided by the test of an implementation: the backend, with everything that it needs.
class ManifestBackendUnderTest {
 public:
  virtual ~ManifestBackendUnderTest() = default;
  virtual ManifestBackend& backend() = 0;
  // Behind the backend.
  virtual manifest::RecordingMaintenance& maintenance() = 0;
};

// Makes a backend over empty services.
using ManifestBackendFactory = std::function<std::unique_ptr<ManifestBackendUnderTest>()>;

// Tests the contract of ManifestBackend. Every implementation instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Local, ManifestBackendConformanceTest, testing::Values(MakeIt));
class ManifestBackendConformanceTest : public testing::TestWithParam<ManifestBackendFactory> {
 protected:
  ManifestBackend& backend() { return under_test_->backend(); }
  manifest::RecordingMaintenance& maintenance() { return under_test_->maintenance(); }

  boost::asio::io_context context_;
  std::unique_ptr<ManifestBackendUnderTest> under_test_ = GetParam()();
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_MANIFEST_BACKEND_CONFORMANCE_H_
