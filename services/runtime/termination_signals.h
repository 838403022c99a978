#ifndef ENTREPOT_SERVICES_RUNTIME_TERMINATION_SIGNALS_H_
#define ENTREPOT_SERVICES_RUNTIME_TERMINATION_SIGNALS_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::runtime {

// SIGTERM and SIGINT as events instead of interruptions. From its construction on, the first is what Wait() returns,
// and a second one ends the process at once with code 128 + its number. SIGPIPE is ignored.
//
// One a process, made on the main thread before any other thread is started: threads inherit its signal mask.
class TerminationSignals {
 public:
  TerminationSignals();
  // The signals stay blocked.
  ~TerminationSignals();

  TerminationSignals(const TerminationSignals&) = delete;
  TerminationSignals& operator=(const TerminationSignals&) = delete;

  // Blocks until the first signal and returns its number.
  int Wait();

  // Ends the process with code 1 where this object is still there at `time` (a drain that hangs).
  void ExitAt(absl::Time time);

 private:
  void Watch();
  // Makes the watcher look at exit_at_ and stop_.
  void Wake();

  const OwnedFd signal_fd_;
  const OwnedFd wake_fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int first_ = 0;  // The first signal's number; guarded by mutex_, as is what follows.
  absl::Time exit_at_ = absl::InfiniteFuture();
  bool stop_ = false;
  std::thread watcher_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TERMINATION_SIGNALS_H_
