#ifndef ENTREPOT_SERVICES_RUNTIME_THREADS_JOB_TABLE_H_
#define ENTREPOT_SERVICES_RUNTIME_THREADS_JOB_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/time/clock.h"
#include "services/core/time/proto_time.h"
#include "services/core/time/stop_signal.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {

// Jobs that operators have started. Each runs in a thread of its own; the last ones are remembered. `Job` is a message
// with id, state (RUNNING, DONE, FAILED), error, started_at and ended_at, which the table sets. Thread-safe.
template <typename Job>
class JobTable {
 public:
  // Makes what a job has done so far visible: the argument changes the job, and must not block.
  using Show = std::function<void(const std::function<void(Job* job)>& change)>;
  // Does the job. Must return soon after `stop` is stopped.
  using Work = std::function<absl::Status(const Show& show, StopSignal* stop)>;
  // An error refuses the start of a job, of whose kind these run. Must not block.
  using MayStart = std::function<absl::Status(const std::vector<std::string>& running_ids)>;
  // An error refuses that a running job of this kind is cancelled. Must not block.
  using MayCancel = std::function<absl::Status(const std::string& kind)>;

  // `clock` outlives the jobs. Of more jobs than `remembered_max` the oldest that has ended is forgotten.
  JobTable(const Clock* clock, size_t remembered_max)
      : clock_(*clock),
        remembered_max_(remembered_max),
        id_prefix_(absl::StrCat(absl::Hex(absl::ToUnixMicros(clock->Now())), "-")) {}
  ~JobTable() { StopAndWait(); }

  // Starts a job, which is `job` until the work changes it, and returns its state. The error of `may_start`;
  // kCancelled: after Stop().
  absl::StatusOr<Job> Start(const std::string& kind, Job job, const MayStart& may_start, Work work) {
    const absl::MutexLock lock(&mutex_);
    if (stopped_) return absl::CancelledError("the registry stops");
    RETURN_IF_ERROR(may_start(RunningLocked(kind)));
    ForgetOldestLocked();
    Entry& entry = entries_.emplace_front();
    entry.kind = kind;
    entry.job = std::move(job);
    entry.job.set_id(absl::StrCat(id_prefix_, ++started_));
    entry.job.set_state(Job::RUNNING);
    *entry.job.mutable_started_at() = ToTimestamp(clock_.Now());
    entry.thread = std::thread([this, work = std::move(work), &entry] { Run(work, &entry); });
    return entry.job;
  }

  // kNotFound: there is no such job, or it is not remembered any more.
  absl::StatusOr<Job> Get(absl::string_view id) const {
    const absl::MutexLock lock(&mutex_);
    for (const Entry& entry : entries_) {
      if (entry.job.id() == id) return entry.job;
    }
    return NoSuchJob(id);
  }

  // Makes a running job end soon, and returns its state now. What the job has done until then stays. A job that ends
  // with success nevertheless is DONE, any other one FAILED. One that has ended stays as it is. kNotFound as Get().
  absl::StatusOr<Job> Cancel(absl::string_view id, const MayCancel& may_cancel) {
    const absl::MutexLock lock(&mutex_);
    for (Entry& entry : entries_) {
      if (entry.job.id() != id) continue;
      if (entry.job.state() == Job::RUNNING) {
        RETURN_IF_ERROR(may_cancel(entry.kind));
        entry.cancelled = true;
        entry.stop.Stop();
      }
      return entry.job;
    }
    return NoSuchJob(id);
  }

  // All that are remembered, newest first.
  std::vector<Job> List() const {
    const absl::MutexLock lock(&mutex_);
    std::vector<Job> jobs;
    for (const Entry& entry : entries_) jobs.push_back(entry.job);
    return jobs;
  }

  // Ends the jobs soon. Does not wait.
  void Stop() {
    const absl::MutexLock lock(&mutex_);
    stopped_ = true;
    for (Entry& entry : entries_) entry.stop.Stop();
  }
  // Stop(), and waits for the jobs. They are remembered. One call at a time.
  void StopAndWait() {
    Stop();
    std::list<Entry*> entries;
    {
      const absl::MutexLock lock(&mutex_);
      for (Entry& entry : entries_) entries.push_back(&entry);
    }
    for (Entry* const entry : entries) {
      if (entry->thread.joinable()) entry->thread.join();
    }
  }

 private:
  struct Entry {
    std::string kind;
    Job job;
    StopSignal stop;
    bool cancelled = false;
    std::thread thread;
  };

  absl::Status NoSuchJob(absl::string_view id) const {
    return absl::NotFoundError(absl::StrCat("there is no job ", QuotedInput(id),
                                            "; it may be older than the last restart or the last ", remembered_max_,
                                            " jobs"));
  }

  std::vector<std::string> RunningLocked(const std::string& kind) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<std::string> ids;
    for (const Entry& entry : entries_) {
      if (entry.kind == kind && entry.job.state() == Job::RUNNING) ids.push_back(entry.job.id());
    }
    return ids;
  }

  void ForgetOldestLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (entries_.size() >= remembered_max_) {
      const auto oldest = std::find_if(entries_.rbegin(), entries_.rend(),
                                       [](const Entry& entry) { return entry.job.state() != Job::RUNNING; });
      if (oldest == entries_.rend()) return;
      // The job has ended; its thread is about to return from Run().
      oldest->thread.join();
      entries_.erase(std::next(oldest).base());
    }
  }

  void Run(const Work& work, Entry* entry) {
    const Show show = [this, entry](const std::function<void(Job*)>& change) {
      const absl::MutexLock lock(&mutex_);
      change(&entry->job);
    };
    const absl::Status status = work(show, &entry->stop);
    const absl::MutexLock lock(&mutex_);
    if (stopped_) {
      entry->job.set_state(Job::FAILED);
      entry->job.set_error("the registry was stopped");
    } else if (!status.ok() && entry->cancelled) {
      entry->job.set_state(Job::FAILED);
      entry->job.set_error("an operator has cancelled the job");
    } else if (!status.ok()) {
      entry->job.set_state(Job::FAILED);
      entry->job.set_error(std::string(status.message()));
    } else {
      entry->job.set_state(Job::DONE);
    }
    *entry->job.mutable_ended_at() = ToTimestamp(clock_.Now());
  }

  const Clock& clock_;
  const size_t remembered_max_;
  // Part of each id, so that ids of different processes differ.
  const std::string id_prefix_;
  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t started_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // Newest first.
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_THREADS_JOB_TABLE_H_
