#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/client/maintenance_requests.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/maintenance_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

constexpr char kRepository[] = "--repository";

absl::StatusOr<int> DeleteRepository(const CommandLine& line, RegistryClient& registry) {
  RETURN_IF_ERROR(registry.DeleteRepository(line.argument(0)));
  Print(line.json() ? "{}\n" : absl::StrCat("deleted the repository ", Printable(line.argument(0)), "\n"));
  return kOk;
}

absl::StatusOr<int> MeasureUsage(const CommandLine& line, RegistryClient& registry) {
  v1::StartJob start;
  start.mutable_measure_usage();
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, registry));
  if (!line.Has(kRepository)) {
    Print(line.json() ? MessageJson(job.usage()) : UsageText(job.usage()));
    return kOk;
  }
  const std::string only = line.Value(kRepository);
  for (const v1::Usage::Repository& repository : job.usage().repositories()) {
    if (repository.name() != only) continue;
    Print(line.json() ? MessageJson(repository) : RepositoryUsageText(repository));
    return kOk;
  }
  return absl::NotFoundError(
      absl::StrCat("the repository ", Printable(only), " is not there, or not among the thousand largest"));
}

}  // namespace

std::vector<Command> RepositoryCommands() {
  return {
      {.name = "repositories delete",
       .arguments = {{.name = "NAME", .help = "the repository"}},
       .summary = "Delete a repository with all its tags and manifests",
       .details =
           "A token that was issued before the deletion gives no access to a repository made later by that name.",
       .examples = {"entrepotctl repositories delete driftwood/old"},
       .run = DeleteRepository},
      {.name = "du",
       .options = {{.name = kRepository, .value = "NAME", .help = "only this repository"}},
       .summary = "Show the size of each repository and how much deduplication saves",
       .details = "OWN is what deleting the repository would free: the blobs that no other repository contains.",
       .examples = {"entrepotctl du", "entrepotctl du --repository driftwood/web"},
       .run = MeasureUsage},
  };
}

}  // namespace entrepot::ctl
