#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_PACER_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_PACER_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::manifest {

struct PaceLimits {
  // 0: no limit.
  uint64_t operations_per_second = 0;
  uint64_t bytes_per_second = 0;
  // If not empty: how many operations per second are necessary now. The limit rises to that number, and to
  // operations_per_second_max at most.
  std::function<uint64_t()> operations_needed = {};
  uint64_t operations_per_second_max = 0;
};

// Returns a pace that waits as long as the limits demand, by a monotonic clock, and returns false at once after `stop`
// was stopped. Each pace has a budget of its own. `stop` must outlive it. `now` replaces the monotonic clock in tests.
Pace MakePace(const PaceLimits& limits, StopSignal* stop);
Pace MakePace(const PaceLimits& limits, StopSignal* stop, std::function<absl::Duration()> now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_PACER_H_
