#include "services/kv/memory_kv_engine.h"

#include <memory>

#include "gtest/gtest.h"
#include "services/kv/testing/kv_conformance.h"

namespace entrepot::kv {
namespace {

std::unique_ptr<KvEngine> Make(int attempts_max, absl::Duration lock_timeout) {
  MemoryKvEngine::Options options;
  options.lock_timeout = lock_timeout;
  options.retry.attempts_max = attempts_max;
  return std::make_unique<MemoryKvEngine>(options);
}

INSTANTIATE_TEST_SUITE_P(Memory, KvConformance, testing::Values(KvBackend{"memory", Make}));

}  // namespace
}  // namespace entrepot::kv
