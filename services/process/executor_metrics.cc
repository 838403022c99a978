#include "services/process/executor_metrics.h"

#include <cstddef>

namespace entrepot::process {
namespace {

prometheus::MetricFamily Gauges(std::string name, std::string help) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Gauge;
  return family;
}

void AddGauge(const std::string& pool, size_t value, prometheus::MetricFamily* family) {
  prometheus::ClientMetric metric;
  metric.label.push_back({"pool", pool});
  metric.gauge.value = static_cast<double>(value);
  family->metric.push_back(std::move(metric));
}

}  // namespace

void ExecutorMetrics::Add(std::string pool, const runtime::Executor* executor) {
  absl::MutexLock lock(&mutex_);
  pools_.emplace_back(std::move(pool), executor);
}

std::vector<prometheus::MetricFamily> ExecutorMetrics::Collect() const {
  prometheus::MetricFamily queued = Gauges("entrepot_executor_queue_depth", "Jobs that wait for a thread");
  prometheus::MetricFamily busy = Gauges("entrepot_executor_threads_busy", "Threads that have a job");
  prometheus::MetricFamily threads = Gauges("entrepot_executor_threads", "Threads for work that blocks");
  absl::MutexLock lock(&mutex_);
  for (const auto& [pool, executor] : pools_) {
    AddGauge(pool, executor->queue_depth(), &queued);
    AddGauge(pool, executor->threads_busy(), &busy);
    AddGauge(pool, executor->threads(), &threads);
  }
  return {std::move(queued), std::move(busy), std::move(threads)};
}

}  // namespace entrepot::process
