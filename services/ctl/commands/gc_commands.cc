#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/client/maintenance_requests.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/maintenance_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

constexpr char kAnyShare[] = "--any-share";
constexpr char kNow[] = "--now";

absl::StatusOr<int> ShowCollector(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const v1::MaintenanceStatus status, GetMaintenanceStatus(registry));
  Print(line.json() ? MessageJson(status) : CollectionStatusText(status));
  return kOk;
}

absl::StatusOr<int> CollectGarbage(bool dry_run, const CommandLine& line, RegistryClient& registry) {
  v1::StartJob start;
  start.mutable_collect_garbage()->set_dry_run(dry_run);
  start.mutable_collect_garbage()->set_any_share(!dry_run && line.Has(kAnyShare));
  start.mutable_collect_garbage()->set_now(!dry_run && line.Has(kNow));
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, registry));
  Print(line.json() ? MessageJson(job.collection()) : CollectionText(job.collection()));
  return job.collection().error().empty() ? kOk : kFailed;
}

absl::StatusOr<int> RunCollector(const CommandLine& line, RegistryClient& registry) {
  return CollectGarbage(/*dry_run=*/false, line, registry);
}

absl::StatusOr<int> TryCollector(const CommandLine& line, RegistryClient& registry) {
  return CollectGarbage(/*dry_run=*/true, line, registry);
}

absl::StatusOr<int> Accept(const CommandLine& line, RegistryClient& registry) {
  v1::Accept::What what = v1::Accept::WHAT_UNSPECIFIED;
  if (line.argument(0) == "stores") what = v1::Accept::STORES;
  if (line.argument(0) == "clock") what = v1::Accept::CLOCK;
  if (what == v1::Accept::WHAT_UNSPECIFIED) {
    return absl::InvalidArgumentError(
        absl::StrCat("gc accept takes \"stores\" or \"clock\", not ", QuotedInput(line.argument(0))));
  }
  v1::MaintainRequest request;
  request.mutable_accept()->set_what(what);
  ASSIGN_OR_RETURN(const v1::MaintainResponse response, registry.Maintain(request));
  Print(line.json() ? MessageJson(response.status()) : CollectionStatusText(response.status()));
  return kOk;
}

}  // namespace

std::vector<Command> GcCommands() {
  return {
      {.name = "gc status",
       .summary = "Show what waits for the garbage collector, until when, and its last runs",
       .details =
           "Garbage is collected automatically while the registry serves. An unreferenced blob is condemned when\n"
           "its lease has ended, and deleted when the grace period has ended too, so that no pull loses it.",
       .examples = {"entrepotctl gc status"},
       .run = ShowCollector},
      {.name = "gc run",
       .options = {{.name = kAnyShare,
                    .value = "",
                    .help = "quarantine objects without a record even if they are more than\n"
                            "collector.quarantine_percent_max of all objects"},
                   {.name = kNow,
                    .value = "",
                    .help = "also delete blobs whose grace is not over, unless a pull may\n"
                            "still read them; the audit log has the account"}},
       .summary = "Collect all garbage that is due, at full speed",
       .details =
           "Leases and grace periods apply. The run also looks for unreferenced objects, and prints what still\n"
           "waits, until when, and for what. Exits with 1 if it had to leave something to the next run.\n"
           "\n"
           "--now skips grace periods, which protect pulls. It never skips what protects pushes that run: leases\n"
           "(a client may rely on a blob until its lease ends) and uploads that have not expired (uploads cancel\n"
           "ends these). It does not skip backups, which pause deletions, nor the age of objects without a record.",
       .examples = {"entrepotctl gc run", "entrepotctl gc run --now"},
       .run = RunCollector},
      {.name = "gc accept",
       .arguments = {{.name = "WHAT", .help = "stores or clock"}},
       .summary = "Let upkeep continue that holds back",
       .details =
           "Upkeep holds back if the records and the objects do not seem to belong together (stores), or after the\n"
           "system's clock was set (clock); gc status shows why. Make sure first that the right volumes are\n"
           "mounted: beside an older database, objects that it does not know are quarantined.",
       .examples = {"entrepotctl gc accept stores", "entrepotctl gc accept clock"},
       .run = Accept},
      {.name = "gc dry-run",
       .summary = "Show what would be deleted if all leases and grace periods had ended; changes nothing",
       .examples = {"entrepotctl gc dry-run --output json"},
       .run = TryCollector},
  };
}

}  // namespace entrepot::ctl
