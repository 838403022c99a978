#ifndef ENTREPOT_SERVICES_CORE_TIME_STOP_SIGNAL_H_
#define ENTREPOT_SERVICES_CORE_TIME_STOP_SIGNAL_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace entrepot {

// Tells whoever works in the background to stop; for good. Thread-safe.
class StopSignal {
 public:
  StopSignal() = default;
  virtual ~StopSignal() = default;
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  void Stop();
  bool stopped() const;
  // Waits that long by the monotonic clock (absl's waits end when the system's clock says so, which may be set back by
  // a day meanwhile), or until it is told to stop: true.
  virtual bool WaitFor(absl::Duration duration);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;  // Guarded by mutex_.
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_STOP_SIGNAL_H_
