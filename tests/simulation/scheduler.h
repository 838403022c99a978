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

// Runs actors one at a time, each up to its next step. The seed determines which actor runs next. Outside of Run()
// steps do nothing.
class Scheduler {
 public:
  struct Options {
    // Once in that many steps another actor runs next.
    uint64_t switch_one_in = 2;
    // Once in that many steps the actor does not run for a while; 0: never.
    uint64_t stall_one_in = 200;
    // Once in that many steps the event of OnEvent() happens.
    uint64_t event_one_in = 30;
    // After that many steps, a history counts as endless.
    uint64_t steps_max = 300'000;
    // Record a trace of all steps.
    bool trace = false;
  };

  Scheduler(uint64_t seed, const Options& options) : random_(seed), options_(options) {}

  Random& random() { return random_; }
  // May be called outside Run(), or by an actor.
  void Spawn(std::string name, std::function<void()> body);
  // Sets an event that happens between two steps.
  void OnEvent(std::function<void()> event) { event_ = std::move(event); }

  // Runs until all actors have ended.
  void Run();

  // An actor calls it before it does something: other actors may run first. `detail` is used only for the trace.
  void Step(absl::string_view what, absl::string_view detail = "");
  // Pauses the actor until `condition` holds. Only steps of other actors may change the condition.
  void WaitUntil(absl::string_view what, const std::function<bool()>& condition);

  // Adds a line to the trace without a step.
  void Note(absl::string_view what, absl::string_view detail = "");

  // From now on all actors run to their end without steps; what they do does not count any more.
  void Stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  // Whether the run was stopped because no actor could continue, or because there were too many steps.
  bool stuck() const { return stuck_; }

  uint64_t steps() const { return steps_; }
  // A fingerprint of all steps.
  uint64_t fingerprint() const { return fingerprint_; }
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  struct Actor {
    std::string name;
    std::unique_ptr<Fiber> fiber;
    // Null if the actor does not wait.
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
