#ifndef ENTREPOT_SERVICES_CORE_TIME_STOP_SIGNAL_H_
#define ENTREPOT_SERVICES_CORE_TIME_STOP_SIGNAL_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "absl/time/time.h"

namespace entrepot {

// Tells background work to stop. It cannot be reset. Thread-safe.
class StopSignal {
 public:
  StopSignal() = default;
  virtual ~StopSignal() = default;
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  void Stop();
  bool stopped() const;
  // Waits for `duration` or until Stop(), and returns whether it was stopped. Uses the monotonic clock: waits of absl
  // follow the system's clock, which may be set back by a day meanwhile.
  virtual bool WaitFor(absl::Duration duration);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;  // Guarded by mutex_.
};

// How background work leaves the machine to requests. Called after each step with its cost; it waits for as long as the
// work has been too fast. Returns false to stop the work.
using Pace = std::function<bool(uint64_t operations, uint64_t bytes)>;

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_STOP_SIGNAL_H_
