#ifndef ENTREPOT_SERVICES_RUNTIME_PROCESS_METRICS_H_
#define ENTREPOT_SERVICES_RUNTIME_PROCESS_METRICS_H_

#include <string>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace entrepot::runtime {

// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds, process_max_fds,
// process_start_time_seconds, process_threads, read from /proc when asked for, and
// entrepot_build_info{version,service} 1. What cannot be read is left out. Safe from any thread.
class ProcessMetrics : public prometheus::Collectable {
 public:
  explicit ProcessMetrics(std::string service_name);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::string service_name_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_PROCESS_METRICS_H_
