#ifndef ENTREPOT_TESTS_SIMULATION_SCHEDULER_H_
#define ENTREPOT_TESTS_SIMULATION_SCHEDULER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/random.h"

namespace entrepot::simulation {

// Runs actors one at a time, each up to its next step; the seed decides whose turn it is. Outside of Run() steps do
// nothing.
class Scheduler {
 public:
  struct Options {
    // At a step the turn goes to somebody else once in so many steps.
    uint64_t switch_one_in = 2;
    // At a step the actor gets no turn for a while once in so many steps; 0: never.
    uint64_t stall_one_in = 200;
    // The event below happens once in so many steps.
    uint64_t event_one_in = 30;
    // Steps after which a history counts as one that does not end.
    uint64_t steps_max = 300'000;
    // Keeps what was done at each step.
    bool trace = false;
  };

  Scheduler(uint64_t seed, const Options& options) : random_(seed), options_(options) {}

  Random& random() { return random_; }
  // From outside Run(), or from an actor.
  void Spawn(std::string name, std::function<void()> body);
  // Something that befalls the world between two steps.
  void OnEvent(std::function<void()> event) { event_ = std::move(event); }

  // Until all actors have ended.
  void Run();

  // Something is about to be done: the others may come first. `detail` is only read for the trace.
  void Step(absl::string_view what, absl::string_view detail = "");
  // The actor's turn does not come before `condition` holds. Conditions change with other actors' steps alone.
  void WaitUntil(absl::string_view what, const std::function<bool()>& condition);

  // What happens to whom without a step, for the trace.
  void Note(absl::string_view what, absl::string_view detail = "");

  // From now on every actor goes through to its end without a step: what they do is not to count any more.
  void Stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  // Stopped since it did not end: nobody could go on, or too many steps were taken.
  bool stuck() const { return stuck_; }

  uint64_t steps() const { return steps_; }
  // A fingerprint of all steps.
  uint64_t fingerprint() const { return fingerprint_; }
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  struct Actor {
    std::string name;
    std::unique_ptr<Fiber> fiber;
    // Null: it waits for nothing.
    const std::function<bool()>* condition = nullptr;
    uint64_t stalled_until = 0;
  };

  bool MayRun(const Actor& actor) const;
  Actor* Choose();
  void Stall();
  void Pause();
  void Count(absl::string_view what, absl::string_view detail);

  Random random_;
  const Options options_;
  std::function<void()> event_;
  std::vector<std::unique_ptr<Actor>> actors_;
  Actor* running_ = nullptr;
  bool stopped_ = false;
  bool stuck_ = false;
  uint64_t steps_ = 0;
  uint64_t fingerprint_ = 0;
  std::vector<std::string> trace_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_SCHEDULER_H_
