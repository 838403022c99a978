#include <string>

#include "services/ctl/client/maintenance_requests.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/offline/offline_registry.h"
#include "services/ctl/output/maintenance_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

constexpr char kRehash[] = "--rehash";
constexpr char kData[] = "--data";
constexpr char kManifest[] = "--manifest";
constexpr char kBlobs[] = "--blobs";

absl::StatusOr<v1::InvariantReport> CheckOnline(const CommandLine& line, RegistryClient& registry) {
  v1::StartJob start;
  start.mutable_check_invariants()->set_rehash(line.Has(kRehash));
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, registry));
  return job.invariants();
}

absl::StatusOr<v1::InvariantReport> CheckDirectories(const CommandLine& line) {
  const bool split = line.Has(kManifest) || line.Has(kBlobs);
  if (split && (line.Has(kData) || !line.Has(kManifest) || !line.Has(kBlobs))) {
    return absl::InvalidArgumentError(
        "to check a stopped registry use --data, or, in split mode, --manifest and --blobs together");
  }
  RegistryDirectories directories{line.Value(kData), line.Value(kData)};
  if (split) directories = {line.Value(kManifest), line.Value(kBlobs)};
  ProgressLine progress;
  return CheckOffline(directories, line.Has(kRehash),
                      [&](uint64_t operations, uint64_t bytes) { return progress.Count(operations, bytes); });
}

absl::StatusOr<int> Check(const CommandLine& line, RegistryClient& registry) {
  const bool offline = line.Has(kData) || line.Has(kManifest) || line.Has(kBlobs);
  ASSIGN_OR_RETURN(const v1::InvariantReport report, offline ? CheckDirectories(line) : CheckOnline(line, registry));
  Print(line.json() ? MessageJson(report) : InvariantsText(report));
  return report.violations().empty() ? kOk : kFailed;
}

absl::StatusOr<int> RunScrub(const CommandLine& line, RegistryClient& registry) {
  v1::StartJob start;
  start.mutable_scrub();
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, registry));
  Print(line.json() ? MessageJson(job.scrub()) : ScrubText(job.scrub()));
  return job.scrub().corrupt() + job.scrub().missing() + job.scrub().failed() == 0 ? kOk : kFailed;
}

absl::StatusOr<int> ShowScrub(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const v1::MaintenanceStatus status, GetMaintenanceStatus(registry));
  Print(line.json() ? MessageJson(status) : ScrubStatusText(status));
  return status.corrupt().empty() ? kOk : kFailed;
}

}  // namespace

std::vector<Command> CheckCommands() {
  return {
      {.name = "check",
       .options = {{.name = kRehash, .value = "", .help = "also read and hash every object"},
                   {.name = kData, .value = "DIR", .help = "check a stopped registry, by its data directory"},
                   {.name = kManifest,
                    .value = "DIR",
                    .help = "check a stopped registry of split mode: the manifest service's data directory"},
                   {.name = kBlobs, .value = "DIR", .help = "and the blob service's data directory"}},
       .summary = "Check that all records are consistent and that their objects exist",
       .details =
           "Prints each violation on a line, also objects that cannot be opened, and exits with 1 if there is one.\n"
           "A running registry is checked while it serves.",
       .examples = {"entrepotctl check", "entrepotctl check --rehash --data /var/lib/entrepot"},
       .run = Check},
      {.name = "scrub",
       .summary = "Read and verify every blob now, at full speed",
       .details =
           "Blobs whose bytes have changed or are missing are marked as corrupt; `entrepotctl scrub status` lists\n"
           "them. Exits with 1 if it finds one, or if a blob could not be verified or quarantined.",
       .examples = {"entrepotctl scrub"},
       .run = RunScrub},
      {.name = "scrub status",
       .summary = "Show the progress of the scrub and the corrupt blobs",
       .details =
           "A corrupt blob is not served until the same content is pushed again, which repairs it; its bytes are\n"
           "kept in quarantine. Exits with 1 if there is one.",
       .examples = {"entrepotctl scrub status"},
       .run = ShowScrub},
  };
}

}  // namespace entrepot::ctl
