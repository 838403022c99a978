#include "services/kv/kv_metrics.h"

#include <utility>

#include "prometheus/family.h"

namespace entrepot::kv {
namespace {

constexpr const char* kOperationNames[] = {"get", "multi_get", "scan", "transact_synced", "transact_buffered"};
constexpr const char* kReasonNames[] = {"lock_timeout", "function"};

prometheus::Histogram::BucketBoundaries DurationBuckets() {
  return {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10};
}

}  // namespace

KvMetrics::KvMetrics(std::shared_ptr<prometheus::Registry> registry, const std::string& engine)
    : registry_(std::move(registry)) {
  auto& durations = prometheus::BuildHistogram()
                        .Name("entrepot_metadata_transaction_duration_seconds")
                        .Help("Duration of reads and transactions of the metadata store, retries included.")
                        .Register(*registry_);
  for (int i = 0; i < 5; ++i) {
    durations_[i] = &durations.Add({{"engine", engine}, {"op", kOperationNames[i]}}, DurationBuckets());
  }
  auto& retries = prometheus::BuildCounter()
                      .Name("entrepot_metadata_transaction_retries_total")
                      .Help("Transactions that were run again.")
                      .Register(*registry_);
  for (int i = 0; i < 2; ++i) retries_[i] = &retries.Add({{"engine", engine}, {"reason", kReasonNames[i]}});
}

}  // namespace entrepot::kv
