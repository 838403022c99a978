#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_MANIFEST_BACKEND_CONFORMANCE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_MANIFEST_BACKEND_CONFORMANCE_H_

#include <functional>
#include <memory>

#include "boost/asio/io_context.hpp"
#include "gateway/backends/manifest_backend.h"
#include "gtest/gtest.h"
#include "services/manifest/testing/recording_maintenance.h"

namespace entrepot::gateway {

// What a test of one implementation hands to the suite: the backend, and all that it needs, alive.
class ManifestBackendUnderTest {
 public:
  virtual ~ManifestBackendUnderTest() = default;
  virtual ManifestBackend& backend() = 0;
  // Behind the backend.
  virtual manifest::RecordingUpkeep& upkeep() = 0;
};

// Makes one over empty services.
using ManifestBackendFactory = std::function<std::unique_ptr<ManifestBackendUnderTest>()>;

// The contract of ManifestBackend, which every implementation keeps:
//
//   INSTANTIATE_TEST_SUITE_P(Local, ManifestBackendConformanceTest, testing::Values(MakeIt));
class ManifestBackendConformanceTest : public testing::TestWithParam<ManifestBackendFactory> {
 protected:
  ManifestBackend& backend() { return under_test_->backend(); }
  manifest::RecordingUpkeep& upkeep() { return under_test_->upkeep(); }

  boost::asio::io_context context_;
  std::unique_ptr<ManifestBackendUnderTest> under_test_ = GetParam()();
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_MANIFEST_BACKEND_CONFORMANCE_H_
