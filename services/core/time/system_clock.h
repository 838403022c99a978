#ifndef ENTREPOT_SERVICES_CORE_TIME_SYSTEM_CLOCK_H_
#define ENTREPOT_SERVICES_CORE_TIME_SYSTEM_CLOCK_H_

#include <chrono>

#include "absl/time/time.h"
#include "services/core/time/clock.h"

namespace entrepot {

// The machine's clock, as it is now: absl::Now() reckons from what it read up to two seconds ago, and where the clock
// is set meanwhile a token would outlive its end by that. Thread-safe.
class SystemClock : public Clock {
 public:
  absl::Time Now() const override { return absl::FromChrono(std::chrono::system_clock::now()); }
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_SYSTEM_CLOCK_H_
