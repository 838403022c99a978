#include "services/process/executor_metrics.h"

#include <string>
#include <utility>

namespace entrepot::process {
namespace {

prometheus::MetricFamily Gauge(std::string name, std::string help, size_t value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = static_cast<double>(value);
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Gauge;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

std::vector<prometheus::MetricFamily> ExecutorMetrics::Collect() const {
  return {
      Gauge("entrepot_executor_queue_depth", "Jobs that wait for a thread", executor_->queue_depth()),
      Gauge("entrepot_executor_threads_busy", "Threads that have a job", executor_->threads_busy()),
      Gauge("entrepot_executor_threads", "Threads for work that blocks", executor_->threads()),
  };
}

}  // namespace entrepot::process
