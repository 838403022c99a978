#ifndef ENTREPOT_SERVICES_CORE_TIME_CLOCK_H_
#define ENTREPOT_SERVICES_CORE_TIME_CLOCK_H_

#include "absl/time/time.h"

namespace entrepot {

// Wall-clock time, injected so that tests decide what it is. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_CLOCK_H_
