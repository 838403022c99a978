#ifndef ENTREPOT_TESTS_SIMULATION_FIBER_H_
#define ENTREPOT_TESTS_SIMULATION_FIBER_H_

#include <ucontext.h>

#include <functional>

namespace entrepot::simulation {

// A function with a stack of its own, which runs when it is told to and can pause anywhere below itself: a thread
// without a kernel, so that who runs is never a matter of chance. All on one thread.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  // Must have ended.
  ~Fiber();

  // Runs it until it pauses or ends. From outside any fiber.
  void Resume();
  bool ended() const { return ended_; }

  // The fiber that calls this goes back to who resumed it.
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
  // What sanitizers keep for each stack.
  void* fake_stack_ = nullptr;
  const void* resumer_stack_ = nullptr;
  size_t resumer_stack_bytes_ = 0;
  void* tsan_fiber_ = nullptr;
  void* tsan_resumer_ = nullptr;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_FIBER_H_
