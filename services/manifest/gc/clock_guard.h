#ifndef ENTREPOT_SERVICES_MANIFEST_GC_CLOCK_GUARD_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_CLOCK_GUARD_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/process_clocks.h"

namespace entrepot::manifest {

// Notices that the system's clock was set. A clock that is set forward ends leases and graces before their time, so
// collection holds back for as long as the longest of them lasts: whatever was promised before the step is kept until
// then. A step is a difference of more than five minutes to a clock that cannot be set. While no process runs only a
// step back is noticed: a long pause is not a step. The end of the wait is in the record g/clock, and outlives the
// process.
//
// If several processes write the records, a wait that one of them begins or ends holds for all, and collection also
// holds back while their clocks differ (process_clocks.h). They look at one another's state every minute. Thread-safe.
class ClockGuard {
 public:
  // The time since the machine was started, with the time that it was suspended.
  static absl::Duration SinceBoot();

  struct Options {
    // How long to hold back.
    absl::Duration hold;
    // Other processes write the same records.
    bool shared = false;
    std::function<absl::Duration()> since_boot = SinceBoot;
    // May be null. Exports entrepot_gc_clock_steps_total and entrepot_gc_clock_hold_seconds.
    std::shared_ptr<prometheus::Registry> registry;
  };

  // Both pointers must outlive the ClockGuard.
  ClockGuard(kv::KvEngine* kv, const Clock* clock, const Options& options);

  // OK, or kFailedPrecondition with the reason and the end of the wait. Call it often: it compares the clock with the
  // last call. If the records are shared, call it at least once in ProcessClocks::kInterval. Another code if the record
  // cannot be read or written.
  absl::Status Check();
  // Ends the wait, on an operator's word.
  absl::Status Accept();

 private:
  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Save() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsSaveDue(absl::Time now, absl::Duration since_boot) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes over the wait of the other processes, and adds this one's wait and clock to the record.
  void Merge(storage::v1::ClockRecord* record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteStep(absl::Duration step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  kv::KvEngine& kv_;
  const Clock& clock_;
  const Options options_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& steps_;
  prometheus::Gauge& hold_seconds_;
  absl::Mutex mutex_;
  bool loaded_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time last_now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_since_boot_ ABSL_GUARDED_BY(mutex_);
  // By the clock that cannot be set. Absent if collection may go on.
  std::optional<absl::Duration> held_until_ ABSL_GUARDED_BY(mutex_);
  absl::Time saved_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Duration saved_since_boot_ ABSL_GUARDED_BY(mutex_);
  // The wait has changed here since it was saved: the record must not overwrite it.
  bool hold_changed_ ABSL_GUARDED_BY(mutex_) = false;
  ProcessClocks others_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_CLOCK_GUARD_H_
