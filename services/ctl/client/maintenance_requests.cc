#include "services/ctl/client/maintenance_requests.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using manifest::v1::Job;
using manifest::v1::MaintainRequest;
using manifest::v1::MaintainResponse;

absl::Duration Since(std::chrono::steady_clock::time_point time) {
  return absl::FromChrono(std::chrono::steady_clock::now() - time);
}

absl::StatusOr<Job> GetJob(const std::string& id, RegistryClient& registry) {
  MaintainRequest request;
  request.mutable_get_job()->set_id(id);
  ASSIGN_OR_RETURN(MaintainResponse response, registry.Maintain(request));
  return std::move(*response.mutable_job());
}

std::string ProgressText(const Job& job, absl::Duration elapsed) {
  const std::string progress = job.progress().empty() ? "" : absl::StrCat(", ", Printable(job.progress()));
  return absl::StrCat("job ", Printable(job.id()), ": ", absl::FormatDuration(absl::Trunc(elapsed, absl::Seconds(1))),
                      progress);
}

}  // namespace

absl::StatusOr<manifest::v1::MaintenanceStatus> GetMaintenanceStatus(RegistryClient& registry) {
  MaintainRequest request;
  request.mutable_get_status();
  ASSIGN_OR_RETURN(MaintainResponse response, registry.Maintain(request));
  return std::move(*response.mutable_status());
}

absl::StatusOr<Job> RunJob(const manifest::v1::StartJob& start, RegistryClient& registry, const JobPolling& polling) {
  MaintainRequest request;
  *request.mutable_start_job() = start;
  ASSIGN_OR_RETURN(MaintainResponse response, registry.Maintain(request));
  Job job = std::move(*response.mutable_job());
  const auto started_at = std::chrono::steady_clock::now();
  auto answered_at = started_at;
  ProgressLine line;
  for (absl::Duration pause = polling.pause_first; job.state() == Job::RUNNING;
       pause = std::min(pause * 1.5, polling.pause_max)) {
    line.Show(ProgressText(job, Since(started_at)));
    absl::SleepFor(pause);
    absl::StatusOr<Job> now = GetJob(job.id(), registry);
    if (now.ok()) {
      job = *std::move(now);
      answered_at = std::chrono::steady_clock::now();
    } else if (absl::IsUnavailable(now.status()) && Since(answered_at) < polling.patience) {
      job.set_progress("the registry does not answer");
    } else {
      return now.status();
    }
  }
  if (job.state() == Job::DONE) return job;
  return absl::FailedPreconditionError(absl::StrCat("the job failed: ", Printable(job.error())));
}

}  // namespace entrepot::ctl
