#include "services/runtime/threads/periodic_task.h"

#include <utility>

namespace entrepot::runtime {

PeriodicTask::PeriodicTask(absl::Duration interval, std::function<void()> task)
    : thread_([this, interval, task = std::move(task)] { Run(interval, task); }) {}

PeriodicTask::~PeriodicTask() {
  stop_.Stop();
  thread_.join();
}

void PeriodicTask::Run(absl::Duration interval, const std::function<void()>& task) {
  do {
    task();
  } while (!stop_.WaitFor(interval));
}

}  // namespace entrepot::runtime
