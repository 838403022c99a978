#include "services/ctl/job_runner.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/ctl/progress_line.h"
#include "services/ctl/table.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using manifest::v1::Job;
using manifest::v1::MaintainRequest;
using manifest::v1::MaintainResponse;

constexpr absl::Duration kPollFirst = absl::Milliseconds(20);
constexpr absl::Duration kPollMax = absl::Seconds(1);
// How long the registry may not answer without the job being given up.
constexpr absl::Duration kPatience = absl::Seconds(30);

class PatientSession {
 public:
  explicit PatientSession(Session& session) : session_(session) {}

  absl::StatusOr<Job> Get(const std::string& id) {
    MaintainRequest request;
    request.mutable_get_job()->set_id(id);
    absl::StatusOr<MaintainResponse> response = session_.Maintain(request);
    if (response.ok()) {
      last_answer_ = absl::Now();
      return std::move(*response->mutable_job());
    }
    if (absl::IsUnavailable(response.status()) && absl::Now() - last_answer_ < kPatience) {
      Job running;
      running.set_id(id);
      running.set_state(Job::RUNNING);
      running.set_progress("the registry does not answer");
      return running;
    }
    return response.status();
  }

 private:
  Session& session_;
  absl::Time last_answer_ = absl::Now();
};

std::string ProgressText(const Job& job, absl::Time started) {
  const std::string progress = job.progress().empty() ? "" : absl::StrCat(", ", Printable(job.progress()));
  return absl::StrCat("job ", Printable(job.id()), ": ",
                      absl::FormatDuration(absl::Trunc(absl::Now() - started, absl::Seconds(1))), progress);
}

}  // namespace

absl::StatusOr<Job> RunJob(const manifest::v1::StartJob& start, Session& session) {
  MaintainRequest request;
  *request.mutable_start_job() = start;
  ASSIGN_OR_RETURN(MaintainResponse response, session.Maintain(request));
  Job job = std::move(*response.mutable_job());
  const absl::Time started = absl::Now();
  PatientSession patient(session);
  ProgressLine line;
  for (absl::Duration pause = kPollFirst; job.state() == Job::RUNNING; pause = std::min(pause * 1.5, kPollMax)) {
    line.Show(ProgressText(job, started));
    absl::SleepFor(pause);
    ASSIGN_OR_RETURN(job, patient.Get(job.id()));
  }
  if (job.state() == Job::DONE) return job;
  return absl::FailedPreconditionError(absl::StrCat("the job failed: ", Printable(job.error())));
}

}  // namespace entrepot::ctl
