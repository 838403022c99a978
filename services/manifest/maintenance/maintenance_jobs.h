#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::manifest {

// The jobs that operators have started. Each job runs in a thread of its own; at most one job of each kind runs at a
// time. The last jobs are remembered with their results. Thread-safe.
class MaintenanceJobs {
 public:
  // Does the job and fills in its result. Must return soon after `pace` has returned false; its status is ignored then.
  using Work = std::function<absl::Status(const Pace& pace, v1::Job* result)>;

  // `clock` must outlive the jobs.
  explicit MaintenanceJobs(const Clock* clock);
  // Stops the running jobs, and waits for them.
  ~MaintenanceJobs();

  // Starts a job and returns its state. kAlreadyExists: a job of that kind is running; the message names it.
  absl::StatusOr<v1::Job> Start(const std::string& kind, Work work);
  // kNotFound: there is no such job, or it is not remembered any more.
  absl::StatusOr<v1::Job> Get(absl::string_view id) const;
  // All remembered jobs, newest first, without their results.
  std::vector<v1::Job> List() const;

 private:
  struct Entry {
    v1::Job job;
    std::atomic<uint64_t> operations{0};
    std::atomic<uint64_t> bytes{0};
    std::thread thread;
  };

  void Run(const Work& work, Entry* entry);
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static v1::Job Shown(const Entry& entry);

  const Clock& clock_;
  // Part of each id, so that ids of different processes differ.
  const std::string id_prefix_;
  std::atomic<bool> stopping_{false};
  mutable absl::Mutex mutex_;
  uint64_t started_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // Newest first.
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_
