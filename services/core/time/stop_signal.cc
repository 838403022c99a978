#include "services/core/time/stop_signal.h"

#include <algorithm>

namespace entrepot {
namespace {

// A longer wait would overflow the clock's counter.
constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 100);

}  // namespace

void StopSignal::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

bool StopSignal::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

bool StopSignal::WaitFor(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoNanoseconds(std::min(duration, kLongest)), [this] { return stopped_; });
}

}  // namespace entrepot
