#include "services/kv/metrics_kv_engine.h"

#include <chrono>
#include <utility>

#include "absl/time/time.h"

namespace entrepot::kv {
namespace {

// Observes the time from its making to its end.
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

absl::Status MetricsKvEngine::Transact(std::vector<Lock> locks, const Function& fn, Durability durability) {
  Stopwatch stopwatch(
      metrics_, durability == Durability::kSynced ? KvOperation::kTransactSynced : KvOperation::kTransactBuffered);
  return engine_->Transact(std::move(locks), fn, durability);
}

}  // namespace entrepot::kv
