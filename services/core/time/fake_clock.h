#ifndef ENTREPOT_SERVICES_CORE_TIME_FAKE_CLOCK_H_
#define ENTREPOT_SERVICES_CORE_TIME_FAKE_CLOCK_H_

#include "absl/synchronization/mutex.h"
#include "services/core/time/clock.h"

namespace entrepot {

// A clock for tests that only moves when it is advanced. Thread-safe.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000)) : now_(now) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mutex_);
    now_ += by;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_FAKE_CLOCK_H_
