#ifndef ENTREPOT_SERVICES_CTL_CLIENT_JOB_POLLING_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_JOB_POLLING_H_

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace entrepot::ctl {

struct JobPolling {
  // Pauses between two questions for the job's state grow from the first to the maximum.
  absl::Duration pause_first = absl::Milliseconds(20);
  absl::Duration pause_max = absl::Seconds(1);
  // How long the registry may be unavailable before the job is given up.
  absl::Duration patience = absl::Seconds(30);
};

// Calls ask(), which returns StatusOr<Job>, until the job does not run any more; returns the job then. Before each
// call it calls show(job, elapsed, answers): the time since the start, and whether the registry has answered the last
// question. Errors: those of ask(), but kUnavailable only after polling.patience.
template <typename Job, typename Ask, typename Show>
absl::StatusOr<Job> AwaitJob(Job job, const JobPolling& polling, const Ask& ask, const Show& show) {
  const auto since = [](std::chrono::steady_clock::time_point time) {
    return absl::FromChrono(std::chrono::steady_clock::now() - time);
  };
  const auto started_at = std::chrono::steady_clock::now();
  auto answered_at = started_at;
  bool answers = true;
  for (absl::Duration pause = polling.pause_first; job.state() == Job::RUNNING;
       pause = std::min(pause * 1.5, polling.pause_max)) {
    show(job, since(started_at), answers);
    absl::SleepFor(pause);
    absl::StatusOr<Job> now = ask();
    answers = now.ok();
    if (answers) {
      job = *std::move(now);
      answered_at = std::chrono::steady_clock::now();
    } else if (!absl::IsUnavailable(now.status()) || since(answered_at) >= polling.patience) {
      return now.status();
    }
  }
  return job;
}

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_JOB_POLLING_H_
