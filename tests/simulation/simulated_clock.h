#ifndef ENTREPOT_TESTS_SIMULATION_SIMULATED_CLOCK_H_
#define ENTREPOT_TESTS_SIMULATION_SIMULATED_CLOCK_H_

#include <algorithm>
#include <set>

#include "absl/time/time.h"
#include "services/core/time/clock.h"

namespace entrepot::simulation {

// A clock that the test moves forwards and backwards.
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

  void Move(absl::Duration by) {
    now_ += by;
    for (Span* const span : spans_) {
      span->least_ = std::min(span->least_, now_);
      span->greatest_ = std::max(span->greatest_, now_);
    }
  }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  std::set<Span*> spans_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_SIMULATED_CLOCK_H_
