#include "services/kv/metrics_kv_engine.h"

#include <map>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/kv_conformance.h"

namespace entrepot::kv {
namespace {

using testing::Contains;
using testing::Pair;

struct Stack {
  Stack(const RetryPolicy& retry, absl::Duration lock_timeout) {
    MemoryKvEngine::Options options;
    options.lock_timeout = lock_timeout;
    options.retry = retry;
    options.retry.on_retry = [this, on_retry = retry.on_retry](RetryReason reason) {
      metrics.CountRetry(reason);
      if (on_retry) on_retry(reason);
    };
    memory = std::make_unique<MemoryKvEngine>(options);
    engine = std::make_unique<MetricsKvEngine>(memory.get(), &metrics);
  }

  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  KvMetrics metrics{registry, "memory"};
  std::unique_ptr<MemoryKvEngine> memory;
  std::unique_ptr<MetricsKvEngine> engine;
};

// The counts of operations and retries, by their last label.
std::map<std::string, double> Counts(const prometheus::Registry& registry) {
  std::map<std::string, double> counts;
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      counts[metric.label.back().value] = family.type == prometheus::MetricType::Histogram
                                              ? static_cast<double>(metric.histogram.sample_count)
                                              : metric.counter.value;
    }
  }
  return counts;
}

TEST(MetricsKvEngineTest, CountsEachKindOfCall) {
  RetryPolicy retry;
  retry.attempts_max = 3;
  Stack stack(retry, absl::Seconds(60));
  KvEngine& kv = *stack.engine;
  ASSERT_TRUE(kv.Get("a").ok());
  ASSERT_TRUE(kv.MultiGet({}).ok());
  ASSERT_TRUE(kv.Scan({}).ok());
  auto nothing = [](KvTransaction&) { return absl::OkStatus(); };
  ASSERT_TRUE(kv.Transact({}, nothing).ok());
  ASSERT_TRUE(kv.Transact({}, nothing, Durability::kBuffered).ok());
  ASSERT_TRUE(kv.Transact({}, nothing, Durability::kBuffered).ok());
  EXPECT_TRUE(absl::IsAborted(kv.Transact({}, [](KvTransaction&) { return absl::AbortedError("again"); })));
  std::map<std::string, double> counts = Counts(*stack.registry);
  EXPECT_THAT(counts, Contains(Pair("get", 1)));
  EXPECT_THAT(counts, Contains(Pair("multi_get", 1)));
  EXPECT_THAT(counts, Contains(Pair("scan", 1)));
  EXPECT_THAT(counts, Contains(Pair("transact_synced", 2)));
  EXPECT_THAT(counts, Contains(Pair("transact_buffered", 2)));
  EXPECT_THAT(counts, Contains(Pair("function", 2)));
  EXPECT_THAT(counts, Contains(Pair("lock_timeout", 0)));
}

// The engine for the conformance suite, with its parts.
class OwningMetricsKvEngine : private Stack, public MetricsKvEngine {
 public:
  OwningMetricsKvEngine(const RetryPolicy& retry, absl::Duration lock_timeout)
      : Stack(retry, lock_timeout), MetricsKvEngine(memory.get(), &metrics) {}
};

INSTANTIATE_TEST_SUITE_P(Metrics, KvConformance,
                         testing::Values(KvBackend{
                             "metrics", [](const RetryPolicy& retry, absl::Duration lock_timeout) {
                               return std::make_unique<OwningMetricsKvEngine>(retry, lock_timeout);
                             }}));

}  // namespace
}  // namespace entrepot::kv
