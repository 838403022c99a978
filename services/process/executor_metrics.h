#ifndef ENTREPOT_SERVICES_PROCESS_EXECUTOR_METRICS_H_
#define ENTREPOT_SERVICES_PROCESS_EXECUTOR_METRICS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::process {

// Gauges of the threads of executors, each with its name as the label `pool`: entrepot_executor_queue_depth (if it
// stays above 0, the disk or the server behind the calls is the bottleneck), entrepot_executor_threads_busy and
// entrepot_executor_threads. Thread-safe.
class ExecutorMetrics : public prometheus::Collectable {
 public:
  // `executor` must outlive this.
  void Add(std::string pool, const runtime::Executor* executor);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::pair<std::string, const runtime::Executor*>> pools_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::process

#endif  // ENTREPOT_SERVICES_PROCESS_EXECUTOR_METRICS_H_
