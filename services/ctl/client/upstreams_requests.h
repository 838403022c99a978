#ifndef ENTREPOT_SERVICES_CTL_CLIENT_UPSTREAMS_REQUESTS_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_UPSTREAMS_REQUESTS_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "services/ctl/client/job_polling.h"
#include "services/ctl/client/registry_client.h"

namespace entrepot::ctl {

// The upstreams of the registry, in the order of its file.
absl::StatusOr<upstream::v1::UpstreamList> ListUpstreams(RegistryClient& registry);

// A job that runs, the time since its start, and whether the registry has answered the last question for it.
using ShowUpstreamJob = std::function<void(const upstream::v1::UpstreamJob& job, absl::Duration elapsed, bool answers)>;

// Starts a job and waits for its end, calling `show` meanwhile. Returns the job, which is DONE or FAILED. Errors are
// those of RegistryClient::ManageUpstreams.
absl::StatusOr<upstream::v1::UpstreamJob> RunUpstreamJob(const upstream::v1::StartUpstreamJob& start,
                                                         RegistryClient& registry, const ShowUpstreamJob& show,
                                                         const JobPolling& polling = {});

// Those that run, and the last ones that have ended, newest first.
absl::StatusOr<upstream::v1::UpstreamJobList> ListUpstreamJobs(RegistryClient& registry);
// Makes a job end soon; returns its state now. kFailedPrecondition: it is an eviction.
absl::StatusOr<upstream::v1::UpstreamJob> CancelUpstreamJob(const std::string& id, RegistryClient& registry);

// kFailedPrecondition if the job failed.
absl::Status CheckDone(const upstream::v1::UpstreamJob& job);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_UPSTREAMS_REQUESTS_H_
