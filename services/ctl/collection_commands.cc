#include "services/ctl/collection_commands.h"

#include <string>
#include <utility>

#include "services/ctl/job_runner.h"
#include "services/ctl/maintenance_text.h"
#include "services/ctl/output.h"
#include "services/ctl/session.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

absl::StatusOr<v1::MaintenanceStatus> GetStatus(Session& session) {
  v1::MaintainRequest request;
  request.mutable_get_status();
  ASSIGN_OR_RETURN(v1::MaintainResponse response, session.Maintain(request));
  return std::move(*response.mutable_status());
}

absl::StatusOr<int> ShowCollection(const CommandLine&, Session& session) {
  ASSIGN_OR_RETURN(const v1::MaintenanceStatus status, GetStatus(session));
  Print(session.json() ? MessageJson(status) : CollectionStatusText(status));
  return kOk;
}

absl::StatusOr<int> Collect(bool dry_run, Session& session) {
  v1::StartJob start;
  start.mutable_collect_garbage()->set_dry_run(dry_run);
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, session));
  Print(session.json() ? MessageJson(job.collection()) : CollectionText(job.collection()));
  return job.collection().error().empty() ? kOk : kFailed;
}

absl::StatusOr<int> RunCollection(const CommandLine&, Session& session) { return Collect(/*dry_run=*/false, session); }

absl::StatusOr<int> TryCollection(const CommandLine&, Session& session) { return Collect(/*dry_run=*/true, session); }

absl::StatusOr<int> ShowScrub(const CommandLine&, Session& session) {
  ASSIGN_OR_RETURN(const v1::MaintenanceStatus status, GetStatus(session));
  Print(session.json() ? MessageJson(status) : ScrubStatusText(status));
  return status.corrupt().empty() ? kOk : kFailed;
}

absl::StatusOr<int> RunScrub(const CommandLine&, Session& session) {
  v1::StartJob start;
  start.mutable_scrub();
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, session));
  Print(session.json() ? MessageJson(job.scrub()) : ScrubText(job.scrub()));
  return job.scrub().corrupt() + job.scrub().missing() == 0 ? kOk : kFailed;
}

}  // namespace

std::vector<Command> CollectionCommands() {
  return {
      {"gc status",
       {},
       {},
       "what waits for the collector, and its last runs",
       R"(
Garbage goes on its own, while pushes and pulls run. A blob that nothing needs any more is condemned once its lease is
over, and deleted when the grace is over too, so that no pull under way loses it.

Example:
  entrepotctl gc status
)",
       ShowCollection},
      {"gc run",
       {},
       {},
       "collects all garbage that is due, now and without a pause",
       R"(
Leases and graces hold as ever. It also looks for objects that nothing names. Exits with 1 where something had to be left
for the next run.

Example:
  entrepotctl gc run
)",
       RunCollection},
      {"gc dry-run",
       {},
       {},
       "what would go were all leases and graces over; changes nothing",
       R"(
Example:
  entrepotctl gc dry-run --output json
)",
       TryCollection},
      {"scrub status",
       {},
       {},
       "how far the re-reading of all blobs is, and which are corrupt",
       R"(
A corrupt blob is not served until it is pushed again, which heals it; its bytes are kept in quarantine. Exits with 1
where there is one.

Example:
  entrepotctl scrub status
)",
       ShowScrub},
      {"scrub",
       {},
       {},
       "reads and verifies every blob, now and without a pause",
       R"(
Blobs whose bytes have changed or are gone are marked corrupt: `entrepotctl scrub status` lists them. Exits with 1 where
it found one.

Example:
  entrepotctl scrub
)",
       RunScrub},
  };
}

}  // namespace entrepot::ctl
