#include "services/ctl/client/upstreams_requests.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using upstream::v1::ManageUpstreamsRequest;
using upstream::v1::ManageUpstreamsResponse;
using upstream::v1::UpstreamJob;

absl::StatusOr<UpstreamJob> RequestJob(const ManageUpstreamsRequest& request, RegistryClient& registry) {
  ASSIGN_OR_RETURN(ManageUpstreamsResponse response, registry.ManageUpstreams(request));
  return std::move(*response.mutable_job());
}

}  // namespace

absl::StatusOr<upstream::v1::UpstreamList> ListUpstreams(RegistryClient& registry) {
  ManageUpstreamsRequest request;
  request.mutable_list_upstreams();
  ASSIGN_OR_RETURN(ManageUpstreamsResponse response, registry.ManageUpstreams(request));
  return std::move(*response.mutable_upstreams());
}

absl::StatusOr<UpstreamJob> RunUpstreamJob(const upstream::v1::StartUpstreamJob& start, RegistryClient& registry,
                                           const ShowUpstreamJob& show, const JobPolling& polling) {
  ManageUpstreamsRequest request;
  *request.mutable_start_job() = start;
  ASSIGN_OR_RETURN(UpstreamJob job, RequestJob(request, registry));
  request.mutable_get_job()->set_id(job.id());
  return AwaitJob(
      std::move(job), polling, [&] { return RequestJob(request, registry); }, show);
}

absl::StatusOr<upstream::v1::UpstreamJobList> ListUpstreamJobs(RegistryClient& registry) {
  ManageUpstreamsRequest request;
  request.mutable_list_jobs();
  ASSIGN_OR_RETURN(ManageUpstreamsResponse response, registry.ManageUpstreams(request));
  return std::move(*response.mutable_jobs());
}

absl::StatusOr<UpstreamJob> CancelUpstreamJob(const std::string& id, RegistryClient& registry) {
  ManageUpstreamsRequest request;
  request.mutable_cancel_job()->set_id(id);
  return RequestJob(request, registry);
}

absl::Status CheckDone(const UpstreamJob& job) {
  if (job.state() == UpstreamJob::DONE) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the job failed: ", Printable(job.error())));
}

}  // namespace entrepot::ctl
