#ifndef ENTREPOT_TESTS_SIMULATION_FIBER_H_
#define ENTREPOT_TESTS_SIMULATION_FIBER_H_

#include <ucontext.h>

#include <functional>

namespace entrepot::simulation {

// A function with a stack of its own. It runs when it is resumed, and can pause in any function that it calls: like a
// thread, but scheduled by the program alone, hence deterministic. All fibers run on one thread.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  // The fiber must have ended.
  ~Fiber();

  // Runs the fiber until it pauses or ends. Must be called from outside any fiber.
  void Resume();
  bool ended() const { return ended_; }

  // Pauses the calling fiber: Resume() returns.
  static void Pause();
  static Fiber* Current();

 private:
  static void Enter();
  void SwitchIn();
  void SwitchOut(bool for_good);

  std::function<void()> body_;
  void* const stack_;
  ucontext_t context_;
  ucontext_t resumer_;
  bool ended_ = false;
  // State of the sanitizers for each stack.
  void* fake_stack_ = nullptr;
  const void* resumer_stack_ = nullptr;
  size_t resumer_stack_bytes_ = 0;
  void* tsan_fiber_ = nullptr;
  void* tsan_resumer_ = nullptr;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_FIBER_H_
