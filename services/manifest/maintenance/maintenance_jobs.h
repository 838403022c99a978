#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/runtime/threads/job_table.h"

namespace entrepot::manifest {

// The jobs that operators have started (services/runtime/threads/job_table.h). At most one job of each kind runs at a
// time. Its end stops the jobs, and waits for them. Thread-safe.
class MaintenanceJobs {
 public:
  // Does the job and fills in its result. Must return soon after `pace` has returned false; its status is ignored then.
  using Work = std::function<absl::Status(const Pace& pace, v1::Job* result)>;

  // `clock` must outlive the jobs.
  explicit MaintenanceJobs(const Clock* clock);

  // Starts a job and returns its state. kAlreadyExists: a job of that kind is running; the message names it.
  absl::StatusOr<v1::Job> Start(const std::string& kind, Work work);
  // kNotFound: there is no such job, or it is not remembered any more.
  absl::StatusOr<v1::Job> Get(absl::string_view id) const { return jobs_.Get(id); }
  // All remembered jobs, newest first, without their results.
  std::vector<v1::Job> List() const;

 private:
  runtime::JobTable<v1::Job> jobs_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_
