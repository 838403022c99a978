#ifndef ENTREPOT_SERVICES_CTL_CLIENT_MAINTENANCE_REQUESTS_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_MAINTENANCE_REQUESTS_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/ctl/client/job_polling.h"
#include "services/ctl/client/registry_client.h"

namespace entrepot::ctl {

// The state of the collector and the scrub.
absl::StatusOr<manifest::v1::MaintenanceStatus> GetMaintenanceStatus(RegistryClient& registry);

// Starts a job and waits for its end, showing its progress on a terminal. Returns the job, which is DONE. Errors are
// those of RegistryClient::Maintain, and kFailedPrecondition if the job failed.
absl::StatusOr<manifest::v1::Job> RunJob(const manifest::v1::StartJob& start, RegistryClient& registry,
                                         const JobPolling& polling = {});

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_MAINTENANCE_REQUESTS_H_
