#ifndef ENTREPOT_SERVICES_RUNTIME_THREADS_BOUNDED_EXECUTOR_H_
#define ENTREPOT_SERVICES_RUNTIME_THREADS_BOUNDED_EXECUTOR_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::runtime {

// Threads of their own for jobs that may take long, such as the deletion of a repository, with a bound on the jobs that
// run or wait. The threads for ordinary requests stay free of such jobs. An owner, usually an account, may have a
// quarter of all places, so that one owner leaves room for others. Jobs are refused at once if there is no place; a
// TurnQueue lets coroutines wait for theirs, and has no threads. Thread-safe.
class BoundedExecutor {
 public:
  struct Options {
    // The label of the metrics entrepot_queue_jobs and entrepot_queue_refused_total.
    std::string name;
    // For the error: what the jobs are, such as "deletions of repositories", and the field that sets jobs_max.
    std::string jobs;
    std::string setting;
    size_t threads = 1;
    size_t jobs_max = 1;
    // If null, the metrics are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
  };

  // The right to run one job, from before the job is posted until this object is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept
        : executor_(std::exchange(other.executor_, nullptr)), owner_(std::move(other.owner_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (executor_ != nullptr) executor_->Release(owner_);
    }

   private:
    friend class BoundedExecutor;
    Place(BoundedExecutor* executor, std::string owner) : executor_(executor), owner_(std::move(owner)) {}

    BoundedExecutor* executor_;
    std::string owner_;
  };

  explicit BoundedExecutor(const Options& options);

  // kUnavailable (UNAVAILABLE) if all places are taken, or all of the owner. The empty owner has no share of its own:
  // in a registry without accounts it stands for all callers.
  absl::StatusOr<Place> Reserve(absl::string_view owner);
  // For jobs that have a place, which they must release before the executor is destroyed.
  Executor& threads() { return threads_; }

 private:
  struct Metrics {
    Metrics(prometheus::Registry& registry, const std::string& name);

    prometheus::Gauge& jobs;
    prometheus::Counter& refused;
    prometheus::Counter& refused_to_owner;
  };

  void Release(const std::string& owner);

  const Options options_;
  const size_t share_;
  const std::shared_ptr<prometheus::Registry> registry_;
  const Metrics metrics_;
  absl::Mutex mutex_;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, size_t> taken_by_ ABSL_GUARDED_BY(mutex_);
  Executor threads_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_THREADS_BOUNDED_EXECUTOR_H_
