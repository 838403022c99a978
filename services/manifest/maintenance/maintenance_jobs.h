#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/maintenance/job_records.h"
#include "services/runtime/threads/job_table.h"
#include "services/runtime/threads/periodic_task.h"

namespace entrepot::manifest {

// The jobs that operators have started (services/runtime/threads/job_table.h). At most one job of each kind runs at a
// time. Its end stops the jobs, and waits for them. If several processes share the records, each knows the jobs of all
// (job_records.h), with a delay of a second. Thread-safe.
class MaintenanceJobs {
 public:
  // Does the job and fills in its result. Must return soon after `pace` has returned false; its status is ignored then.
  using Work = std::function<absl::Status(const Pace& pace, v1::Job* result)>;

  // Both must outlive the jobs. `shared_kv`: the records that other processes write too; null if there are none.
  explicit MaintenanceJobs(const Clock* clock, kv::KvEngine* shared_kv = nullptr);
  ~MaintenanceJobs();

  // Starts a job and returns its state. kAlreadyExists: a job of the same kind is running; the message names it.
  absl::StatusOr<v1::Job> Start(const std::string& kind, Work work);
  // kNotFound: there is no such job, or it is not remembered any more.
  absl::StatusOr<v1::Job> Get(absl::string_view id);
  // All remembered jobs, newest first, without their results. If the records cannot be read, only those of this
  // process.
  std::vector<v1::Job> List();

 private:
  // kAlreadyExists: another process runs a job of that kind.
  absl::Status CheckOthers(const std::string& kind);
  // Writes the jobs of this process that have changed, or must be written again.
  void Publish();

  const Clock& clock_;
  runtime::JobTable<v1::Job> jobs_;
  std::optional<JobRecords> records_;
  absl::Mutex publishing_;
  struct Published {
    v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
    std::string progress;
    absl::Time at;
  };
  // By id.
  std::map<std::string, Published> published_ ABSL_GUARDED_BY(publishing_);
  // Last: its thread uses the others.
  std::unique_ptr<runtime::PeriodicTask> publisher_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_
