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

// Limits the verifications that damage reports cause, so that many reports cost little: at most one verification of an
// object at a time, at most kConcurrentMax in all, and none for kRemembered after one of the object succeeded.
// Thread-safe.
class DamageReportGate {
 public:
  static constexpr size_t kConcurrentMax = 2;
  static constexpr absl::Duration kRemembered = absl::Minutes(1);

  // `clock` must outlive the gate.
  explicit DamageReportGate(const Clock* clock) : clock_(*clock) {}

  // Waits until the limits allow a verification of `object`, then runs `verify` and returns its status. Returns OK
  // without running `verify` if a verification of the object has returned OK less than kRemembered ago.
  absl::Status Run(const std::string& object, const std::function<absl::Status()>& verify);

  // The number of calls of Run() that wait. For tests.
  size_t waiting() const;

 private:
  bool WasVerified(const std::string& object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string> running_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, absl::Time> verified_at_ ABSL_GUARDED_BY(mutex_){1000};
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGE_REPORT_GATE_H_
