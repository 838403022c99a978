#include "services/runtime/periodic_task.h"

#include <utility>

namespace entrepot::runtime {

PeriodicTask::PeriodicTask(absl::Duration interval, std::function<void()> task)
    : thread_([this, interval, task = std::move(task)] { Run(interval, task); }) {}

PeriodicTask::~PeriodicTask() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  thread_.join();
}

void PeriodicTask::Run(absl::Duration interval, const std::function<void()>& task) {
  while (true) {
    task();
    absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopped_), interval)) return;
  }
}

}  // namespace entrepot::runtime
