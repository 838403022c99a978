#ifndef ENTREPOT_SERVICES_KV_METRICS_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_METRICS_KV_ENGINE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "services/kv/aborted_retry.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

enum class KvOperation { kGet, kMultiGet, kScan, kTransactSynced, kTransactBuffered };

// entrepot_metadata_transaction_duration_seconds{engine,op} and
// entrepot_metadata_transaction_retries_total{engine,reason}. Thread-safe.
class KvMetrics {
 public:
  // `engine` is the value of the label, such as "rocksdb".
  KvMetrics(std::shared_ptr<prometheus::Registry> registry, const std::string& engine);

  void ObserveDuration(KvOperation operation, absl::Duration duration) {
    durations_[static_cast<int>(operation)]->Observe(absl::ToDoubleSeconds(duration));
  }
  // For RetryPolicy::on_retry.
  void CountRetry(RetryReason reason) { retries_[static_cast<int>(reason)]->Increment(); }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Histogram* durations_[5];
  prometheus::Counter* retries_[3];
};

// Measures the duration of another engine's calls.
class MetricsKvEngine : public KvEngine {
 public:
  // Both must outlive it.
  MetricsKvEngine(KvEngine* engine, KvMetrics* metrics)
      : engine_(engine), metrics_(metrics), in_memory_(&engine->in_memory(), metrics) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;
  KvReader& in_memory() override { return in_memory_; }

 private:
  // Measures reads from memory like the others.
  class InMemory : public KvReader {
   public:
    InMemory(KvReader* reader, KvMetrics* metrics) : reader_(reader), metrics_(metrics) {}
    absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
    absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
    absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;

   private:
    KvReader* const reader_;
    KvMetrics* const metrics_;
  };

  KvEngine* const engine_;
  KvMetrics* const metrics_;
  InMemory in_memory_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_METRICS_KV_ENGINE_H_
