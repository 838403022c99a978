#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/ctl/client/maintenance_requests.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/command_line/user_input.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/maintenance_text.h"
#include "services/ctl/output/terminal_output.h"
#include "services/manifest/retention/retention_rules.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

absl::StatusOr<int> CheckRules(const CommandLine& line, RegistryClient&) {
  ASSIGN_OR_RETURN(const std::string text, ReadInputFile(line.argument(0)));
  const absl::Status problems = manifest::ParseRetentionRules(text, line.argument(0)).status();
  for (const absl::string_view problem : absl::StrSplit(problems.message(), '\n', absl::SkipEmpty())) {
    Print(absl::StrCat(Printable(std::string(problem)), "\n"));
  }
  if (!problems.ok()) return kFailed;
  Print(line.json() ? "{}\n" : absl::StrCat(Printable(line.argument(0)), " is a good retention file\n"));
  return kOk;
}

absl::StatusOr<int> ApplyRules(const v1::ApplyRetention& retention, const CommandLine& line, RegistryClient& registry) {
  v1::StartJob start;
  *start.mutable_apply_retention() = retention;
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, registry));
  Print(line.json() ? MessageJson(job.retention()) : RetentionText(job.retention()));
  return kOk;
}

absl::StatusOr<int> TryRules(const CommandLine& line, RegistryClient& registry) {
  v1::ApplyRetention retention;
  retention.set_dry_run(true);
  if (const std::string file = line.argument(0); !file.empty()) {
    ASSIGN_OR_RETURN(*retention.mutable_rules(), ReadInputFile(file));
  }
  return ApplyRules(retention, line, registry);
}

absl::StatusOr<int> RunRules(const CommandLine& line, RegistryClient& registry) {
  return ApplyRules({}, line, registry);
}

}  // namespace

std::vector<Command> RetentionCommands() {
  return {
      {.name = "retention check",
       .arguments = {{.name = "FILE", .help = "a retention file"}},
       .summary = "Check a retention file; needs no registry",
       .details = "Prints each problem on a line and exits with 1 if there is one.",
       .examples = {"entrepotctl retention check examples/retention.yaml"},
       .run = CheckRules},
      {.name = "retention dry-run",
       .arguments = {{.name = "FILE",
                      .help = "a retention file to try; default: the registry's retention_file",
                      .required = false}},
       .summary = "Show which tags and manifests retention would remove; changes nothing",
       .examples = {"entrepotctl retention dry-run", "entrepotctl retention dry-run new-rules.yaml"},
       .run = TryRules},
      {.name = "retention run",
       .summary = "Apply the registry's retention_file now",
       .details = "The registry also applies it every retention_interval. Immutable tags stay. The audit log contains\n"
                  "each removal. Later runs of the collector free the space.",
       .examples = {"entrepotctl retention run"},
       .run = RunRules},
  };
}

}  // namespace entrepot::ctl
