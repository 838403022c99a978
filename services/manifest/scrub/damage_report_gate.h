#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGE_REPORT_GATE_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGE_REPORT_GATE_H_

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"

namespace entrepot::manifest {

// Lets reports of damage through to what reads the bytes, so that many of them cost little: one at a time about one
// thing, few at once in all, and none for a minute once one is settled. Thread-safe.
class ReportGate {
 public:
  static constexpr size_t kAtOnceMax = 2;
  static constexpr absl::Duration kRemembered = absl::Minutes(1);

  // `clock` outlives it.
  explicit ReportGate(const Clock* clock) : clock_(*clock) {}

  // Runs `examine`, unless the thing was settled (OK) a moment ago. Waits for its turn.
  absl::Status Pass(const std::string& thing, const std::function<absl::Status()>& examine);

 private:
  bool IsSettled(const std::string& thing) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::set<std::string> running_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, absl::Time> settled_at_ ABSL_GUARDED_BY(mutex_){1000};
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGE_REPORT_GATE_H_
