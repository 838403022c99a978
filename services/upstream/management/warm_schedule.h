#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_WARM_SCHEDULE_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_WARM_SCHEDULE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/runtime/threads/executor.h"
#include "services/runtime/threads/periodic_task.h"
#include "services/upstream/management/image_pull.h"
#include "services/upstream/names/upstreams_file.h"

namespace entrepot::upstream {

// Pulls the tags that the upstreams file lists in `warm`, at once and again after their interval. After a failure it
// pulls earlier: after 10 s, and then after twice as long each time, up to 5 minutes. Counts them in
// entrepot_upstream_warm_pulls_total{upstream,result}. Thread-safe.
class WarmSchedule {
 public:
  // Tags that are pulled at the same time; the others wait.
  static constexpr size_t kPullsAtOnce = 4;

  // The pointers outlive the schedule.
  struct Parts {
    const UpstreamsFile* upstreams = nullptr;
    const Clock* clock = nullptr;
    // Pulls one tag. Must return soon after `stop` is stopped.
    std::function<absl::Status(const ImageToPull& image, StopSignal* stop)> pull;
    // If null, the metrics are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
    // How often it looks whether something is due. Zero: only Advance() does, for tests.
    absl::Duration poll_interval = absl::Seconds(5);
  };
  explicit WarmSchedule(Parts parts);
  // Stop(), and waits for the pulls that run.
  ~WarmSchedule();

  // Starts the pulls that are due.
  void Advance();
  // Ends the pulls soon. Does not wait.
  void Stop() { stop_.Stop(); }

 private:
  struct Item {
    absl::Time due_at = absl::InfinitePast();
    absl::Time started_at = absl::InfinitePast();
    bool runs = false;
    // In a row.
    int failures = 0;
    bool listed = true;
  };

  void AdvanceTag(const UpstreamsSnapshot& snapshot, const config::v1::Upstream& upstream,
                  const config::v1::WarmTags& warm, const std::string& tag) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Pull(const std::string& key, const std::string& upstream, const absl::StatusOr<ImageToPull>& image,
            absl::Duration interval);

  const Parts parts_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& pulls_;
  StopSignal stop_;
  absl::Mutex mutex_;
  // By the upstream, the tag and the platforms.
  std::map<std::string, Item> items_ ABSL_GUARDED_BY(mutex_);
  // The last members: they use the others.
  runtime::Executor executor_{kPullsAtOnce};
  std::unique_ptr<runtime::PeriodicTask> task_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_WARM_SCHEDULE_H_
