#ifndef ENTREPOT_SERVICES_KV_KV_METRICS_H_
#define ENTREPOT_SERVICES_KV_KV_METRICS_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
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
  // `engine`: the label, such as "rocksdb".
  KvMetrics(std::shared_ptr<prometheus::Registry> registry, const std::string& engine);

  void ObserveDuration(KvOperation operation, absl::Duration duration) {
    durations_[static_cast<int>(operation)]->Observe(absl::ToDoubleSeconds(duration));
  }
  // For RetryPolicy::on_retry.
  void CountRetry(RetryReason reason) { retries_[static_cast<int>(reason)]->Increment(); }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Histogram* durations_[5];
  prometheus::Counter* retries_[2];
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_KV_METRICS_H_
