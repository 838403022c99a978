#ifndef ENTREPOT_SERVICES_CTL_JOB_RUNNER_H_
#define ENTREPOT_SERVICES_CTL_JOB_RUNNER_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/ctl/session.h"

namespace entrepot::ctl {

// Starts a job and waits for its end; on a terminal a line says meanwhile how far it is. The job as it ended, DONE. An
// error says why it was not started, or failed, or that the registry was started anew while it ran.
absl::StatusOr<manifest::v1::Job> RunJob(const manifest::v1::StartJob& start, Session& session);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_JOB_RUNNER_H_
