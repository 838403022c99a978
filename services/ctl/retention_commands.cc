#include "services/ctl/retention_commands.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/job_runner.h"
#include "services/ctl/maintenance_text.h"
#include "services/ctl/output.h"
#include "services/ctl/session.h"
#include "services/ctl/table.h"
#include "services/manifest/retention/retention_rules.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;

constexpr char kRepository[] = "--repository";

absl::StatusOr<int> MeasureUsage(const CommandLine& line, Session& session) {
  v1::StartJob start;
  start.mutable_measure_usage();
  ASSIGN_OR_RETURN(v1::Job job, RunJob(start, session));
  v1::Usage& usage = *job.mutable_usage();
  if (const std::string only = line.Option(kRepository); !only.empty()) {
    for (const v1::Usage::Repository& repository : usage.repositories()) {
      if (repository.name() != only) continue;
      Print(session.json() ? MessageJson(repository) : RepositoryUsageText(repository));
      return kOk;
    }
    return absl::NotFoundError(
        absl::StrCat("the repository ", Printable(only), " is not there, or not among the thousand largest"));
  }
  Print(session.json() ? MessageJson(usage) : UsageText(usage));
  return kOk;
}

absl::StatusOr<int> CheckRules(const CommandLine& line, Session& session) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(line.arguments[0]));
  const absl::Status problems = manifest::ParseRetentionRules(text).status();
  const std::string name = Printable(line.arguments[0]);
  if (!problems.ok()) return absl::FailedPreconditionError(absl::StrCat(name, ":\n", problems.message()));
  Print(session.json() ? "{}\n" : absl::StrCat(name, " is a good retention file\n"));
  return kOk;
}

absl::StatusOr<int> Retain(const v1::ApplyRetention& retention, Session& session) {
  v1::StartJob start;
  *start.mutable_apply_retention() = retention;
  ASSIGN_OR_RETURN(const v1::Job job, RunJob(start, session));
  Print(session.json() ? MessageJson(job.retention()) : RetentionText(job.retention()));
  return kOk;
}

absl::StatusOr<int> TryRules(const CommandLine& line, Session& session) {
  v1::ApplyRetention retention;
  retention.set_dry_run(true);
  if (const std::string file = line.Argument(0); !file.empty()) {
    ASSIGN_OR_RETURN(*retention.mutable_rules(), ReadFile(file));
  }
  return Retain(retention, session);
}

absl::StatusOr<int> RunRules(const CommandLine&, Session& session) { return Retain({}, session); }

}  // namespace

std::vector<Command> RetentionCommands() {
  return {
      {"du",
       {},
       {kRepository},
       "what each repository holds, and what storing each blob once saves",
       R"(
  --repository NAME     only this one

ITS OWN is what deleting the repository would free: no other repository has those blobs.

Examples:
  entrepotctl du
  entrepotctl du --repository driftwood/web
)",
       MeasureUsage},
      {"retention check",
       {"FILE"},
       {},
       "whether a retention file is a good one; needs no registry",
       R"(
Prints each problem as a line, and exits with 1 where there is one.

Example:
  entrepotctl retention check examples/retention.yaml
)",
       CheckRules},
      {"retention dry-run",
       {"[FILE]"},
       {},
       "which tags and manifests would go by now; changes nothing",
       R"(
By the rules of FILE, or of the registry's own retention_file where there is none.

Examples:
  entrepotctl retention dry-run
  entrepotctl retention dry-run new-rules.yaml
)",
       TryRules},
      {"retention run",
       {},
       {},
       "applies the registry's retention_file now",
       R"(
It is applied every retention_interval anyhow. Immutable tags stay. Each removal is in the audit log. The bytes go with
the collector's next runs.

Example:
  entrepotctl retention run
)",
       RunRules},
  };
}

}  // namespace entrepot::ctl
