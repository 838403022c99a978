#ifndef ENTREPOT_SERVICES_CORE_TIME_CLOCK_H_
#define ENTREPOT_SERVICES_CORE_TIME_CLOCK_H_

#include <chrono>

#include "absl/time/time.h"

namespace entrepot {

// Wall-clock time, injected so that tests can set it. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

// The machine's clock. absl::Now() extrapolates from a reading up to two seconds old: after the clock is set, a token
// could be accepted for that long after its end. Thread-safe.
class SystemClock : public Clock {
 public:
  absl::Time Now() const override { return absl::FromChrono(std::chrono::system_clock::now()); }
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_CLOCK_H_
