#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_PACER_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_PACER_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "services/core/time/pace.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::manifest {

struct PaceLimits {
  // 0: as many as there are.
  uint64_t operations_per_second = 0;
  uint64_t bytes_per_second = 0;
};

// A pace that keeps to the limits on a monotonic clock, and wakes at once where it is told to stop. Each has a budget
// of its own. `stop` outlives it. `now` is for tests.
Pace MakePace(const PaceLimits& limits, StopSignal* stop);
Pace MakePace(const PaceLimits& limits, StopSignal* stop, std::function<absl::Duration()> now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_PACER_H_
