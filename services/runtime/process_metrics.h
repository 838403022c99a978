#ifndef ENTREPOT_SERVICES_RUNTIME_PROCESS_METRICS_H_
#define ENTREPOT_SERVICES_RUNTIME_PROCESS_METRICS_H_

#include <string>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace entrepot::runtime {

// The metrics process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds, process_max_fds,
// process_start_time_seconds and process_threads, read from /proc on each collection, and
// entrepot_build_info{version,service} 1. Metrics that cannot be read are left out. Thread-safe.
class ProcessMetrics : public prometheus::Collectable {
 public:
  explicit ProcessMetrics(std::string service_name);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::string service_name_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_PROCESS_METRICS_H_
