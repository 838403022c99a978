#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/client/upstreams_requests.h"
#include "services/ctl/command_line/image_name.h"
#include "services/ctl/commands/commands.h"
#include "services/ctl/output/terminal_output.h"
#include "services/ctl/output/upstreams_text.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/names/bytes_max.h"

namespace entrepot::ctl {
namespace {

namespace v1 = upstream::v1;

constexpr char kRepository[] = "--repository";
constexpr char kReference[] = "--reference";
constexpr char kPlatform[] = "--platform";
constexpr char kTo[] = "--to";
constexpr char kAll[] = "--all";
constexpr char kDryRun[] = "--dry-run";

absl::StatusOr<int> List(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const v1::UpstreamList list, ListUpstreams(registry));
  Print(line.json() ? MessageJson(list) : UpstreamListText(list));
  return kOk;
}

absl::StatusOr<int> ShowStatus(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(v1::UpstreamList list, ListUpstreams(registry));
  if (const std::string name = line.argument(0); !name.empty()) {
    v1::UpstreamList only;
    for (v1::UpstreamStatus& upstream : *list.mutable_upstreams()) {
      if (upstream.name() == name) *only.add_upstreams() = std::move(upstream);
    }
    if (only.upstreams().empty()) {
      return absl::NotFoundError(absl::StrCat("the registry has no upstream ", QuotedInput(name)));
    }
    list = std::move(only);
  }
  std::string text = list.upstreams().empty() ? UpstreamListText(list) : "";
  bool all_ok = true;
  for (const v1::UpstreamStatus& upstream : list.upstreams()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", UpstreamStatusText(upstream));
    all_ok &= upstream.state() == "ok";
  }
  Print(line.json() ? MessageJson(list) : text);
  return all_ok ? kOk : kFailed;
}

// Shows on a terminal that a job runs.
absl::StatusOr<v1::UpstreamJob> RunWithTime(const v1::StartUpstreamJob& start, RegistryClient& registry) {
  ProgressLine progress;
  return RunUpstreamJob(start, registry, [&](const v1::UpstreamJob& job, absl::Duration elapsed, bool answers) {
    progress.Show(absl::StrCat("job ", Printable(job.id()), ": ",
                               absl::FormatDuration(absl::Trunc(elapsed, absl::Seconds(1))),
                               answers ? "" : ", the registry does not answer"));
  });
}

absl::StatusOr<int> Test(const CommandLine& line, RegistryClient& registry) {
  if (line.Has(kReference) && !line.Has(kRepository)) {
    return absl::InvalidArgumentError("upstreams test takes --reference only together with --repository");
  }
  v1::StartUpstreamJob start;
  start.mutable_test()->set_upstream(line.argument(0));
  start.mutable_test()->set_repository(line.Value(kRepository));
  start.mutable_test()->set_reference(line.Value(kReference));
  ASSIGN_OR_RETURN(const v1::UpstreamJob job, RunWithTime(start, registry));
  // A test with a step that failed is a job that failed; its steps say why.
  if (job.test().steps().empty()) RETURN_IF_ERROR(CheckDone(job));
  Print(line.json() ? MessageJson(job.test()) : UpstreamTestText(job.test()));
  return job.state() == v1::UpstreamJob::DONE ? kOk : kFailed;
}

absl::StatusOr<int> Pull(const CommandLine& line, RegistryClient& registry) {
  const std::string name = line.argument(0);
  const ImageName image = ParseImageName(name);
  if (!absl::StrContains(image.repository, '/')) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the image must begin with its upstream, as in docker.io/library/nginx:1.27, unlike ", QuotedInput(name)));
  }
  v1::StartUpstreamJob start;
  start.mutable_pull()->set_repository(image.repository);
  start.mutable_pull()->set_reference(image.reference);
  for (const std::string& platform : line.Values(kPlatform)) start.mutable_pull()->add_platforms(platform);
  ProgressLine progress;
  const auto show = [&](const v1::UpstreamJob& job, absl::Duration elapsed, bool answers) {
    progress.ShowOrLog(answers ? PullProgressBar(job.pull(), elapsed) : "the registry does not answer",
                       PullProgressLine(name, job.pull()));
  };
  ASSIGN_OR_RETURN(const v1::UpstreamJob job, RunUpstreamJob(start, registry, show));
  progress.Show("");
  RETURN_IF_ERROR(CheckDone(job));
  Print(line.json() ? MessageJson(job.pull()) : PulledImageText(name, job.pull()));
  return kOk;
}

absl::StatusOr<v1::EvictImages> EvictionOf(const CommandLine& line) {
  v1::EvictImages evict;
  evict.set_dry_run(line.Has(kDryRun));
  const std::string what = line.argument(0);
  if (absl::StrContains(what, '/')) {
    if (line.Has(kTo) || line.Has(kAll)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--to and --all are for a whole upstream, not for ", QuotedInput(what)));
    }
    ImageName image = ParseImageName(what);
    evict.set_repository(std::move(image.repository));
    evict.set_reference(std::move(image.reference));
    return evict;
  }
  if (line.Has(kTo) == line.Has(kAll)) {
    return absl::InvalidArgumentError("to evict images of a whole upstream, give either --to SIZE or --all");
  }
  evict.set_upstream(what);
  uint64_t bytes_max = 0;
  if (line.Has(kTo)) {
    const absl::StatusOr<uint64_t> to = upstream::ParseBytesMax(line.Value(kTo));
    if (!to.ok()) return absl::InvalidArgumentError(absl::StrCat("--to ", to.status().message()));
    bytes_max = *to;
  }
  evict.set_bytes_max(bytes_max);
  return evict;
}

absl::StatusOr<int> Evict(const CommandLine& line, RegistryClient& registry) {
  v1::StartUpstreamJob start;
  ASSIGN_OR_RETURN(*start.mutable_evict(), EvictionOf(line));
  ASSIGN_OR_RETURN(const v1::UpstreamJob job, RunWithTime(start, registry));
  RETURN_IF_ERROR(CheckDone(job));
  Print(line.json() ? MessageJson(job.evict()) : EvictionText(job.evict(), line.Has(kDryRun)));
  return kOk;
}

absl::StatusOr<int> ListJobs(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const v1::UpstreamJobList list, ListUpstreamJobs(registry));
  Print(line.json() ? MessageJson(list) : UpstreamJobsText(list));
  return kOk;
}

absl::StatusOr<int> Cancel(const CommandLine& line, RegistryClient& registry) {
  ASSIGN_OR_RETURN(const v1::UpstreamJob job, CancelUpstreamJob(line.argument(0), registry));
  if (line.json()) {
    Print(MessageJson(job));
  } else if (job.state() == v1::UpstreamJob::RUNNING) {
    Print(absl::StrCat("the job ", Printable(job.id()), " ends soon: ", Printable(job.what()), "\n"));
  } else {
    Print(absl::StrCat("the job ", Printable(job.id()), " had ended already: ", Printable(job.what()), "\n"));
  }
  return kOk;
}

}  // namespace

std::vector<Command> UpstreamsCommands() {
  return {
      {.name = "upstreams list",
       .summary = "List the upstreams, what their caches need, and whether they work",
       .details = "ROOM is what would be free without the upstream's caches, when it was measured last.",
       .examples = {"entrepotctl upstreams list"},
       .run = List},
      {.name = "upstreams status",
       .arguments = {{.name = "UPSTREAM", .help = "only this one", .required = false}},
       .summary = "Show requests, hits, rate limit and room of each upstream",
       .details = "Counters are since the start of the process. Exits with 1 if requests to an upstream fail now.",
       .examples = {"entrepotctl upstreams status", "entrepotctl upstreams status docker.io --output json"},
       .run = ShowStatus},
      {.name = "upstreams test",
       .arguments = {{.name = "UPSTREAM", .help = "its name in the upstreams file"}},
       .options = {{.name = kRepository,
                    .value = "NAME",
                    .help = "also get a manifest of this repository, named as at the upstream"},
                   {.name = kReference, .value = "REFERENCE", .help = "its tag or digest; default: latest"}},
       .summary = "Try step by step what a pull needs: address, connection, TLS, login, a manifest",
       .details = "The registry tries it, with its own credentials and network. Exits with 1 if a step fails.",
       .examples = {"entrepotctl upstreams test quay.io",
                    "entrepotctl upstreams test docker.io --repository library/alpine --reference 3.20"},
       .run = Test},
      {.name = "upstreams pull",
       .arguments = {{.name = "IMAGE", .help = "as docker.io/library/nginx:1.27; default tag: latest"}},
       .options = {{.name = kPlatform,
                    .value = "OS/ARCHITECTURE",
                    .help = "only this platform, as linux/amd64 or linux/arm64/v8; may be repeated",
                    .repeatable = true}},
       .summary = "Fetch an image with all its layers, so that later pulls find it here",
       .details =
           "Shows a progress bar on a terminal, elsewhere a line every few seconds. The registry does the work: it\n"
           "continues if this command is interrupted, until it is done or cancelled by entrepotctl upstreams cancel.",
       .examples = {"entrepotctl upstreams pull docker.io/library/nginx:1.27 --platform linux/amd64",
                    "entrepotctl upstreams pull quay.io/prometheus/prometheus:v3.1.0"},
       .run = Pull},
      {.name = "upstreams evict",
       .arguments = {{.name = "WHAT", .help = "an upstream, or a repository with or without :TAG or @DIGEST"}},
       .options = {{.name = kTo,
                    .value = "SIZE",
                    .help = "of an upstream: evict the least recently used images until its\n"
                            "caches need at most SIZE, as 100GiB"},
                   {.name = kAll, .value = "", .help = "of an upstream: evict all images"},
                   {.name = kDryRun, .value = "", .help = "show what would be evicted; change nothing"}},
       .summary = "Evict images of an upstream from this registry",
       .details = "An image that is evicted is fetched again when a client asks for it. What hosted repositories need\n"
                  "stays. The garbage collector frees the space later. The audit log has the account.",
       .examples = {"entrepotctl upstreams evict docker.io --to 100GiB --dry-run",
                    "entrepotctl upstreams evict docker.io/library/nginx:1.27"},
       .run = Evict},
      {.name = "upstreams jobs",
       .summary = "List the tests, pulls and evictions that run, and the last ones that have ended",
       .examples = {"entrepotctl upstreams jobs"},
       .run = ListJobs},
      {.name = "upstreams cancel",
       .arguments = {{.name = "JOB", .help = "as entrepotctl upstreams jobs lists it"}},
       .summary = "End a test or a pull that runs",
       .details = "What was fetched until then stays. An eviction cannot be cancelled. The audit log has the account.",
       .examples = {"entrepotctl upstreams cancel 187d3a51e6a1c0-1"},
       .run = Cancel},
  };
}

}  // namespace entrepot::ctl
