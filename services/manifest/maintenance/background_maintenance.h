#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_BACKGROUND_MAINTENANCE_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_BACKGROUND_MAINTENANCE_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "entrepot/config/v1/shared.pb.h"
#include "services/core/time/stop_signal.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/gc/clock_guard.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/gc/store_binding.h"
#include "services/manifest/maintenance/pacer.h"
#include "services/manifest/maintenance/work_leases.h"
#include "services/manifest/retention/retention.h"
#include "services/manifest/retention/retention_file.h"
#include "services/manifest/scrub/scrubber.h"
#include "services/runtime/threads/periodic_task.h"

namespace entrepot::manifest {

// Runs the periodic work that the configuration enables, each in a thread of its own: collection, the quarantine of
// orphans, the scrub, retention, the writing of pull times, and the binding of records and objects. Failures are
// logged, and the work is retried at its next time. Of several processes that share the records, one does each of the
// first four (work_leases.h).
class BackgroundMaintenance {
 public:
  // All must outlive the BackgroundMaintenance; `pulls` and `retention_file` may be null.
  struct Parts {
    WorkLeases* leases = nullptr;
    StoreBinding* binding = nullptr;
    ClockGuard* clock_guard = nullptr;
    Collector* collector = nullptr;
    Scrubber* scrubber = nullptr;
    const AuditedRetention* retention = nullptr;
    const RetentionFile* retention_file = nullptr;
    PullTimes* pulls = nullptr;
    // Other processes write the same records.
    bool shared = false;
  };

  // `config` must have its defaults filled in (runtime/config/config_defaults.h).
  BackgroundMaintenance(const config::v1::Collector& config, const Parts& parts);
  // Stops all work. Waits for the steps under way, not for whole runs.
  ~BackgroundMaintenance();

  // Lets all work end soon, without waiting for it.
  void BeginStop();

 private:
  // Whether work that deletes or quarantines may be done now: the objects are those that the records name.
  bool MayWork();
  // MayWork(), and the clock was not set.
  bool MayCollect();
  // Does the work unless another process does it.
  void RunLeased(const char* name, const Pace& pace, const std::function<void(const Pace& pace)>& work);
  void NoteClock();
  void AdvanceBinding();
  void Collect(const Pace& pace);
  void QuarantineOrphans(const Pace& pace);
  void Scrub(absl::Duration interval, const Pace& pace);
  void FollowScrub();
  void ApplyRetention(const Pace& pace);
  void FlushPulls();
  void Fail(const char* what, const absl::Status& status);

  const Parts parts_;
  StopSignal stop_;
  std::vector<std::unique_ptr<runtime::PeriodicTask>> tasks_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_BACKGROUND_MAINTENANCE_H_
