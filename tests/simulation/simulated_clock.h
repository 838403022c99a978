#ifndef ENTREPOT_TESTS_SIMULATION_SIMULATED_CLOCK_H_
#define ENTREPOT_TESTS_SIMULATION_SIMULATED_CLOCK_H_

#include <algorithm>
#include <set>

#include "absl/time/time.h"
#include "services/core/time/clock.h"

namespace entrepot::simulation {

// A clock that the test moves: time passes, or the clock is set.
class SimulatedClock : public Clock {
 public:
  // The least and the greatest time of the clock during the life of the Span.
  class Span {
   public:
    explicit Span(SimulatedClock* clock) : clock_(*clock), least_(clock->now_), greatest_(clock->now_) {
      clock_.spans_.insert(this);
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;
    ~Span() { clock_.spans_.erase(this); }

    absl::Time least() const { return least_; }
    absl::Time greatest() const { return greatest_; }

   private:
    friend class SimulatedClock;
    SimulatedClock& clock_;
    absl::Time least_, greatest_;
  };

  absl::Time Now() const override { return now_; }

  // The time that has passed, however the clock was set.
  absl::Duration Passed() const { return passed_; }
  absl::Duration SinceBoot() const { return passed_ - booted_at_; }

  void Pass(absl::Duration time) {
    passed_ += time;
    Set(time);
  }
  void Set(absl::Duration by) {
    now_ += by;
    for (Span* const span : spans_) {
      span->least_ = std::min(span->least_, now_);
      span->greatest_ = std::max(span->greatest_, now_);
    }
  }
  void Reboot() { booted_at_ = passed_; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  absl::Duration passed_;
  absl::Duration booted_at_;
  std::set<Span*> spans_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_SIMULATED_CLOCK_H_
