#ifndef ENTREPOT_SERVICES_RUNTIME_TERMINATION_SIGNALS_H_
#define ENTREPOT_SERVICES_RUNTIME_TERMINATION_SIGNALS_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "services/core/files/owned_fd.h"
#include "services/core/time/deadline.h"

namespace entrepot::runtime {

// Receives SIGTERM and SIGINT as events. From construction on, Wait() returns the first signal, and a second one ends
// the process at once with code 128 + its number. SIGPIPE is ignored.
//
// A process has at most one, created on the main thread before any other thread is started: threads inherit its signal
// mask.
class TerminationSignals {
 public:
  TerminationSignals();
  // Leaves the signals blocked.
  ~TerminationSignals();

  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;

  // Blocks until the first signal and returns its number.
  int Wait();

  // Ends the process with code 1 if this object still exists at `deadline`, because a drain hangs.
  void ExitAt(Deadline deadline);

 private:
  void Watch();
  // Makes the watcher read exit_at_ and stop_ again.
  void Wake();

  const OwnedFd signal_fd_;
  const OwnedFd wake_fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int first_ = 0;  // The number of the first signal. Guarded by mutex_, like the members below.
  Deadline exit_at_ = Deadline::After(absl::InfiniteDuration());
  bool stop_ = false;
  std::thread watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TERMINATION_SIGNALS_H_
