#ifndef ENTREPOT_SERVICES_CORE_SYSTEM_CLOCK_H_
#define ENTREPOT_SERVICES_CORE_SYSTEM_CLOCK_H_

#include "absl/time/clock.h"
#include "services/core/clock.h"

namespace entrepot {

// The machine's clock. Thread-safe.
class SystemClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_SYSTEM_CLOCK_H_
