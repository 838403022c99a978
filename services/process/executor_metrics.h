#ifndef ENTREPOT_SERVICES_PROCESS_EXECUTOR_METRICS_H_
#define ENTREPOT_SERVICES_PROCESS_EXECUTOR_METRICS_H_

#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::process {

// Gauges of the executor's threads: entrepot_executor_queue_depth (if it stays above 0, the disk is the bottleneck),
// entrepot_executor_threads_busy and entrepot_executor_threads. Thread-safe.
class ExecutorMetrics : public prometheus::Collectable {
 public:
  // `executor` must outlive it.
  explicit ExecutorMetrics(const runtime::Executor* executor) : executor_(executor) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const runtime::Executor* const executor_;
};

}  // namespace entrepot::process

#endif  // ENTREPOT_SERVICES_PROCESS_EXECUTOR_METRICS_H_
