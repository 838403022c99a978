#include "services/ctl/client/maintenance_requests.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using manifest::v1::Job;
using manifest::v1::MaintainRequest;
using manifest::v1::MaintainResponse;

absl::StatusOr<Job> GetJob(const std::string& id, RegistryClient& registry) {
  MaintainRequest request;
  request.mutable_get_job()->set_id(id);
  ASSIGN_OR_RETURN(MaintainResponse response, registry.Maintain(request));
  return std::move(*response.mutable_job());
}

std::string ProgressText(const Job& job, absl::Duration elapsed, bool answers) {
  std::string progress = job.progress().empty() ? "" : absl::StrCat(", ", Printable(job.progress()));
  if (!answers) progress = ", the registry does not answer";
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
  ProgressLine line;
  const auto ask = [&, id = job.id()] { return GetJob(id, registry); };
  ASSIGN_OR_RETURN(job,
                   AwaitJob(std::move(job), polling, ask, [&](const Job& now, absl::Duration elapsed, bool answers) {
                     line.Show(ProgressText(now, elapsed, answers));
                   }));
  if (job.state() == Job::DONE) return job;
  return absl::FailedPreconditionError(absl::StrCat("the job failed: ", Printable(job.error())));
}

}  // namespace entrepot::ctl
