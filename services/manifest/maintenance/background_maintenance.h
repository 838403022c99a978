#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_BACKGROUND_MAINTENANCE_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_BACKGROUND_MAINTENANCE_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "entrepot/config/v1/shared.pb.h"
#include "services/core/time/stop_signal.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/maintenance/pacer.h"
#include "services/manifest/retention/retention.h"
#include "services/manifest/retention/retention_file.h"
#include "services/manifest/scrub/scrubber.h"
#include "services/runtime/threads/periodic_task.h"

namespace entrepot::manifest {

// Runs the periodic work that the configuration enables, each in a thread of its own: collection, the quarantine of
// orphans, the scrub, retention, and the writing of pull times. Failures are logged, and the work is retried at its
// next time.
class BackgroundMaintenance {
 public:
  // All must outlive the BackgroundMaintenance; `pulls` and `retention_file` may be null.
  struct Parts {
    Collector* collector = nullptr;
    Scrubber* scrubber = nullptr;
    const AuditedRetention* retention = nullptr;
    const RetentionFile* retention_file = nullptr;
    PullTimes* pulls = nullptr;
  };

  // `config` must have its defaults filled in (runtime/config/config_defaults.h).
  BackgroundMaintenance(const config::v1::Collector& config, const Parts& parts);
  // Stops all work. Waits for the steps under way, not for whole runs.
  ~BackgroundMaintenance();

  // Lets all work end soon, without waiting for it.
  void BeginStop();

 private:
  void Collect(const Pace& pace);
  void QuarantineOrphans(const Pace& pace);
  void Scrub(absl::Duration interval, const Pace& pace);
  void ApplyRetention(const Pace& pace);
  void FlushPulls();
  void Fail(const char* what, const absl::Status& status);

  const Parts parts_;
  StopSignal stop_;
  std::vector<std::unique_ptr<runtime::PeriodicTask>> tasks_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_BACKGROUND_MAINTENANCE_H_
