#ifndef ENTREPOT_GATEWAY_HTTP_RATE_METER_H_
#define ENTREPOT_GATEWAY_HTTP_RATE_METER_H_

#include <chrono>
#include <cstdint>

namespace entrepot::gateway::http {

// Checks that a peer keeps a minimum rate, averaged over a window of the time spent waiting for the peer. Time that
// this side spends otherwise, on a disk or a backend, does not count.
class RateMeter {
 public:
  using Clock = std::chrono::steady_clock;

  RateMeter(uint64_t bytes_per_second, Clock::duration window) : bytes_per_second_(bytes_per_second), window_(window) {}

  Clock::duration window() const { return window_; }

  // A new body begins.
  void Restart() {
    bytes_ = 0;
    waited_ = Clock::duration::zero();
    waiting_ = false;
  }

  void BeginWait(Clock::time_point now) {
    waiting_ = true;
    since_ = now;
  }
  void EndWait(Clock::time_point now) {
    waiting_ = false;
    waited_ += now - since_;
  }
  // Counts bytes that were sent or received.
  void Add(uint64_t bytes) { bytes_ += bytes; }

  // Call during a wait. Begins a new window if the last one is over.
  bool TooSlow(Clock::time_point now) {
    const Clock::duration waited = waited_ + (waiting_ ? now - since_ : Clock::duration::zero());
    if (waited < window_) return false;
    const double expected = static_cast<double>(bytes_per_second_) * std::chrono::duration<double>(waited).count();
    if (static_cast<double>(bytes_) < expected) return true;
    bytes_ = 0;
    waited_ = Clock::duration::zero();
    since_ = now;
    return false;
  }

 private:
  uint64_t bytes_per_second_;
  Clock::duration window_;
  uint64_t bytes_ = 0;
  Clock::duration waited_ = Clock::duration::zero();
  bool waiting_ = false;
  Clock::time_point since_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_RATE_METER_H_
