#include "services/kv/memory_kv_engine.h"

#include <memory>

#include "gtest/gtest.h"
#include "services/kv/testing/kv_conformance.h"

namespace entrepot::kv {
namespace {

std::unique_ptr<KvEngine> Make(const RetryPolicy& retry, absl::Duration lock_timeout) {
  MemoryKvEngine::Options options;
  options.lock_timeout = lock_timeout;
  options.retry = retry;
  return std::make_unique<MemoryKvEngine>(options);
}

INSTANTIATE_TEST_SUITE_P(Memory, KvConformance, testing::Values(KvBackend{"memory", Make}));

}  // namespace
}  // namespace entrepot::kv
