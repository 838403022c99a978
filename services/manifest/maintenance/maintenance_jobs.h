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
#include "services/core/time/pace.h"

namespace entrepot::manifest {

// What an operator has started and asks for until it is done: a thread each, one of a kind at a time. The last ones are
// remembered with their results. Thread-safe.
class MaintenanceJobs {
 public:
  // Does the job and fills in its result. Ends soon once `pace` says stop; what it returns then does not matter.
  using Work = std::function<absl::Status(const Pace& pace, v1::Job* result)>;

  // `clock` outlives the jobs.
  explicit MaintenanceJobs(const Clock* clock);
  // Tells all that run to stop, and waits for them.
  ~MaintenanceJobs();

  // The job as it is now. kAlreadyExists: one of that kind is under way; the message names it.
  absl::StatusOr<v1::Job> Start(const std::string& kind, Work work);
  // kNotFound: no such job, or too many have ended since.
  absl::StatusOr<v1::Job> Get(absl::string_view id) const;
  // Newest first, without their results.
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
  // Part of each id: an id of an earlier process is none of this one's.
  const std::string id_prefix_;
  std::atomic<bool> stopping_{false};
  mutable absl::Mutex mutex_;
  uint64_t started_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // Newest first.
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_JOBS_H_
