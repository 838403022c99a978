#ifndef ENTREPOT_SERVICES_CORE_TIME_STOPWATCH_H_
#define ENTREPOT_SERVICES_CORE_TIME_STOPWATCH_H_

#include <chrono>

#include "absl/time/time.h"

namespace entrepot {

// Measures how long something takes, by the monotonic clock: a difference of two absl::Now() is wrong, and may be
// negative, if the system's clock is set meanwhile.
class Stopwatch {
 public:
  absl::Duration Elapsed() const { return absl::FromChrono(std::chrono::steady_clock::now() - start_); }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_STOPWATCH_H_
