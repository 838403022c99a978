#include "services/manifest/maintenance/pacer.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace entrepot::manifest {
namespace {

// What was not used is not saved for longer: background work would come in bursts.
constexpr absl::Duration kSaved = absl::Milliseconds(50);
// Shorter waits are added up.
constexpr absl::Duration kWaitMin = absl::Milliseconds(1);

absl::Duration SinceBoot() {
  return absl::FromChrono(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()));
}

absl::Duration Cost(uint64_t amount, uint64_t per_second) {
  if (per_second == 0) return absl::ZeroDuration();
  return absl::Seconds(static_cast<double>(amount) / static_cast<double>(per_second));
}

class Budget {
 public:
  Budget(const PaceLimits& limits, StopSignal* stop, std::function<absl::Duration()> now)
      : limits_(limits), stop_(stop), now_(std::move(now)), paid_until_(now_()) {}

  bool Spend(uint64_t operations, uint64_t bytes) {
    absl::Duration wait;
    {
      absl::MutexLock lock(&mutex_);
      const absl::Duration now = now_();
      paid_until_ = std::max(paid_until_, now - kSaved) +
                    std::max(Cost(operations, OperationsPerSecond()), Cost(bytes, limits_.bytes_per_second));
      wait = paid_until_ - now;
    }
    if (wait < kWaitMin) return !stop_->stopped();
    return !stop_->WaitFor(wait);
  }

 private:
  uint64_t OperationsPerSecond() const {
    const uint64_t least = limits_.operations_per_second;
    if (least == 0 || !limits_.operations_needed) return least;
    return std::max(least, std::min(limits_.operations_needed(), limits_.operations_per_second_max));
  }

  const PaceLimits limits_;
  StopSignal* const stop_;
  const std::function<absl::Duration()> now_;
  absl::Mutex mutex_;
  absl::Duration paid_until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

Pace MakePace(const PaceLimits& limits, StopSignal* stop) { return MakePace(limits, stop, SinceBoot); }

Pace MakePace(const PaceLimits& limits, StopSignal* stop, std::function<absl::Duration()> now) {
  const auto budget = std::make_shared<Budget>(limits, stop, std::move(now));
  return [budget](uint64_t operations, uint64_t bytes) { return budget->Spend(operations, bytes); };
}

}  // namespace entrepot::manifest
