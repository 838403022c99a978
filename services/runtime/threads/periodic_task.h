#ifndef ENTREPOT_SERVICES_RUNTIME_THREADS_PERIODIC_TASK_H_
#define ENTREPOT_SERVICES_RUNTIME_THREADS_PERIODIC_TASK_H_

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::runtime {

// Calls `task` on a thread of its own: at once, and then again `interval` after the end of each call. Calls never
// overlap.
class PeriodicTask {
 public:
  PeriodicTask(absl::Duration interval, std::function<void()> task);
  // Ends the wait between calls at once; waits for the end of a call in progress.
  ~PeriodicTask();

  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

 private:
  void Run(absl::Duration interval, const std::function<void()>& task);

  StopSignal stop_;
  std::thread thread_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_THREADS_PERIODIC_TASK_H_
