#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_JOBS_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_JOBS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::upstream {

// The jobs that operators have started. Each job runs in a thread of its own. Thread-safe.
class UpstreamJobs {
 public:
  // Of one kind, so that pulls from an upstream that hangs leave room for its test.
  static constexpr size_t kRunningMax = 8;
  // Running and ended ones, of which an eviction may list 1000 images. The oldest that has ended is forgotten first.
  static constexpr size_t kRememberedMax = 50;

  // Makes what a job has done so far visible: the argument changes `progress` of the job, and must not block.
  using Show = std::function<void(const std::function<void(v1::UpstreamJob* job)>& change)>;
  // Does the job. Must return soon after `stop` is stopped; its status is ignored then.
  using Work = std::function<absl::Status(const Show& show, StopSignal* stop)>;

  // `clock` outlives the jobs.
  explicit UpstreamJobs(const Clock* clock);
  // Stop(), and waits for the jobs.
  ~UpstreamJobs();

  // Starts a job and returns its state. `kind` is the plural for messages: "pulls". kResourceExhausted
  // (TOOMANYREQUESTS): kRunningMax jobs of that kind run. kCancelled: after Stop().
  absl::StatusOr<v1::UpstreamJob> Start(const std::string& kind, Work work);
  // kNotFound: there is no such job, or it is not remembered any more.
  absl::StatusOr<v1::UpstreamJob> Get(absl::string_view id) const;
  // Ends the jobs soon. Does not wait.
  void Stop();

 private:
  struct Entry {
    std::string kind;
    v1::UpstreamJob job;
    std::thread thread;
  };

  void Run(const Work& work, Entry* entry);
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  // Part of each id, so that ids of different processes differ.
  const std::string id_prefix_;
  StopSignal stop_;
  mutable absl::Mutex mutex_;
  uint64_t started_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // Newest first.
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_JOBS_H_
