#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_UPSTREAM_BACKEND_CONFORMANCE_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_UPSTREAM_BACKEND_CONFORMANCE_H_

#include <functional>
#include <memory>

#include "boost/asio/io_context.hpp"
#include "gateway/backends/testing/recording_management.h"
#include "gateway/backends/testing/scripted_cache.h"
#include "gateway/backends/upstream_backend.h"
#include "gtest/gtest.h"

namespace entrepot::gateway {

// Provided by the test of an implementation: the backend over a ScriptedCache and a RecordingManagement, with
// everything that it needs.
class UpstreamBackendUnderTest {
 public:
  virtual ~UpstreamBackendUnderTest() = default;
  virtual UpstreamBackend& backend() = 0;
  virtual ScriptedCache& cache() = 0;
  virtual RecordingManagement& management() = 0;
};

using UpstreamBackendFactory = std::function<std::unique_ptr<UpstreamBackendUnderTest>()>;

// Tests the contract of UpstreamBackend. Every implementation instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Local, UpstreamBackendConformanceTest, testing::Values(MakeIt));
class UpstreamBackendConformanceTest : public testing::TestWithParam<UpstreamBackendFactory> {
 protected:
  UpstreamBackend& backend() { return under_test_->backend(); }
  ScriptedCache& cache() { return under_test_->cache(); }
  RecordingManagement& management() { return under_test_->management(); }

  boost::asio::io_context context_;
  std::unique_ptr<UpstreamBackendUnderTest> under_test_ = GetParam()();
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_UPSTREAM_BACKEND_CONFORMANCE_H_
