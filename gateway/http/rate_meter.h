#ifndef ENTREPOT_GATEWAY_HTTP_RATE_METER_H_
#define ENTREPOT_GATEWAY_HTTP_RATE_METER_H_

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>

namespace entrepot::gateway::http {

// Bounds the time that a body waits for its peer. A silence (no byte comes through) is forgiven up to `silence_max`,
// whatever came before. A trickle is bounded by a debt of time: each silence adds its length, and each byte subtracts
// the time that one byte takes at the minimum rate. The four longest silences are not counted. A peer whose debt is
// beyond `window` is too slow. So a peer that keeps the rate on average may pause as often as it likes, a peer that
// sends little may pause four times, and a peer that sends single bytes is cut. Time that this side spends on a disk or
// a backend does not count.
class RateMeter {
 public:
  using Clock = std::chrono::steady_clock;

  struct Bounds {
    uint64_t bytes_per_second = 0;  // At least 1.
    Clock::duration window{};
    Clock::duration silence_max{};
  };

  explicit RateMeter(const Bounds& bounds) : bounds_(bounds) {}

  const Bounds& bounds() const { return bounds_; }

  // A new body begins.
  void Restart() {
    silence_ = debt_ = Clock::duration::zero();
    longest_ = {};
    waiting_ = false;
  }

  void BeginWait(Clock::time_point now) {
    waiting_ = true;
    since_ = now;
  }
  void EndWait(Clock::time_point now) {
    waiting_ = false;
    silence_ += now - since_;
  }
  // Counts bytes that were sent or received. Not during a wait.
  void Add(uint64_t bytes) {
    if (bytes == 0 || debt_ + silence_ == Clock::duration::zero()) return;
    const std::chrono::duration<double> paid(static_cast<double>(bytes) /
                                             static_cast<double>(bounds_.bytes_per_second));
    const std::chrono::duration<double> owed = debt_ + silence_ - paid;
    if (owed <= std::chrono::duration<double>::zero()) return Restart();
    debt_ = std::chrono::duration_cast<Clock::duration>(owed);
    const auto shortest = std::min_element(longest_.begin(), longest_.end());
    *shortest = std::max(*shortest, silence_);
    silence_ = Clock::duration::zero();
  }

  bool TooSlow(Clock::time_point now) const {
    const Clock::duration silence = silence_ + (waiting_ ? now - since_ : Clock::duration::zero());
    const Clock::duration forgiven = std::accumulate(longest_.begin(), longest_.end(), Clock::duration::zero());
    return silence > bounds_.silence_max || debt_ - forgiven > bounds_.window;
  }

 private:
  Bounds bounds_;
  Clock::duration silence_{};                 // The waits since the last byte, without the wait under way.
  Clock::duration debt_{};                    // Without silence_.
  std::array<Clock::duration, 4> longest_{};  // Of the silences since the debt was zero.
  bool waiting_ = false;
  Clock::time_point since_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_RATE_METER_H_
