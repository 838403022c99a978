#ifndef ENTREPOT_SERVICES_CTL_CLIENT_MAINTENANCE_REQUESTS_H_
#define ENTREPOT_SERVICES_CTL_CLIENT_MAINTENANCE_REQUESTS_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/ctl/client/registry_client.h"

namespace entrepot::ctl {

// The state of the collector and the scrub.
absl::StatusOr<manifest::v1::MaintenanceStatus> GetMaintenanceStatus(RegistryClient& registry);

struct JobPolling {
  // Pauses between two questions for the job's state grow from the first to the maximum.
  absl::Duration pause_first = absl::Milliseconds(20);
  absl::Duration pause_max = absl::Seconds(1);
  // How long the registry may be unavailable before the job is given up.
  absl::Duration patience = absl::Seconds(30);
};

// Starts a job and waits for its end, showing its progress on a terminal. Returns the job, which is DONE. Errors are
// those of RegistryClient::Maintain, and kFailedPrecondition if the job failed.
absl::StatusOr<manifest::v1::Job> RunJob(const manifest::v1::StartJob& start, RegistryClient& registry,
                                         const JobPolling& polling = {});

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_CLIENT_MAINTENANCE_REQUESTS_H_
