#include "services/kv/metrics_kv_engine.h"

#include <chrono>
#include <utility>

#include "absl/time/time.h"
#include "prometheus/family.h"

namespace entrepot::kv {
namespace {

constexpr const char* kOperationNames[] = {"get", "multi_get", "scan", "transact_synced", "transact_buffered"};
constexpr const char* kReasonNames[] = {"lock_timeout", "function", "connection_lost"};

prometheus::Histogram::BucketBoundaries DurationBuckets() {
  return {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10};
}

// Observes the time from its construction to its destruction.
class Stopwatch {
 public:
  Stopwatch(KvMetrics* metrics, KvOperation operation) : metrics_(metrics), operation_(operation) {}
  ~Stopwatch() { metrics_->ObserveDuration(operation_, absl::FromChrono(std::chrono::steady_clock::now() - start_)); }

 private:
  KvMetrics* const metrics_;
  const KvOperation operation_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

KvMetrics::KvMetrics(std::shared_ptr<prometheus::Registry> registry, const std::string& engine)
    : registry_(std::move(registry)) {
  auto& durations = prometheus::BuildHistogram()
                        .Name("entrepot_metadata_transaction_duration_seconds")
                        .Help("Duration of reads and transactions of the KV, retries included")
                        .Register(*registry_);
  for (int i = 0; i < 5; ++i) {
    durations_[i] = &durations.Add({{"engine", engine}, {"op", kOperationNames[i]}}, DurationBuckets());
  }
  auto& retries = prometheus::BuildCounter()
                      .Name("entrepot_metadata_transaction_retries_total")
                      .Help("Transactions that were run again.")
                      .Register(*registry_);
  for (int i = 0; i < 3; ++i) retries_[i] = &retries.Add({{"engine", engine}, {"reason", kReasonNames[i]}});
}

absl::StatusOr<std::optional<std::string>> MetricsKvEngine::Get(absl::string_view key) {
  Stopwatch stopwatch(metrics_, KvOperation::kGet);
  return engine_->Get(key);
}

absl::StatusOr<std::vector<std::optional<std::string>>> MetricsKvEngine::MultiGet(absl::Span<const std::string> keys) {
  Stopwatch stopwatch(metrics_, KvOperation::kMultiGet);
  return engine_->MultiGet(keys);
}

absl::StatusOr<std::vector<KeyValue>> MetricsKvEngine::Scan(const ScanOptions& options) {
  Stopwatch stopwatch(metrics_, KvOperation::kScan);
  return engine_->Scan(options);
}

absl::StatusOr<std::optional<std::string>> MetricsKvEngine::InMemory::Get(absl::string_view key) {
  Stopwatch stopwatch(metrics_, KvOperation::kGet);
  return reader_->Get(key);
}

absl::StatusOr<std::vector<std::optional<std::string>>> MetricsKvEngine::InMemory::MultiGet(
    absl::Span<const std::string> keys) {
  Stopwatch stopwatch(metrics_, KvOperation::kMultiGet);
  return reader_->MultiGet(keys);
}

absl::StatusOr<std::vector<KeyValue>> MetricsKvEngine::InMemory::Scan(const ScanOptions& options) {
  Stopwatch stopwatch(metrics_, KvOperation::kScan);
  return reader_->Scan(options);
}

absl::Status MetricsKvEngine::Transact(std::vector<Lock> locks, const Function& fn, Durability durability) {
  Stopwatch stopwatch(
      metrics_, durability == Durability::kSynced ? KvOperation::kTransactSynced : KvOperation::kTransactBuffered);
  return engine_->Transact(std::move(locks), fn, durability);
}

}  // namespace entrepot::kv
