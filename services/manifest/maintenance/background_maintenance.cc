#include "services/manifest/maintenance/background_maintenance.h"

#include <algorithm>

#include "services/runtime/config/config_defaults.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::manifest {
namespace {

using runtime::Log;
using runtime::LogLevel;
using runtime::PeriodicTask;
using runtime::ToDuration;

constexpr absl::Duration kPullsInterval = absl::Minutes(1);
// How often it is seen to whether a pass of the scrub is due.
constexpr absl::Duration kScrubIntervalMax = absl::Minutes(1);

}  // namespace

BackgroundUpkeep::BackgroundUpkeep(const config::v1::Collector& config, const Parts& parts) : parts_(parts) {
  if (parts_.pulls != nullptr) {
    tasks_.push_back(std::make_unique<PeriodicTask>(kPullsInterval, [this] { FlushPulls(); }));
  }
  if (config.disabled()) return;
  const auto pace = [&] { return MakePace({config.operations_per_second(), config.bytes_per_second()}, &stop_); };
  tasks_.push_back(std::make_unique<PeriodicTask>(ToDuration(config.interval()), [this, p = pace()] { Collect(p); }));
  tasks_.push_back(
      std::make_unique<PeriodicTask>(ToDuration(config.orphan_interval()), [this, p = pace()] { ReapOrphans(p); }));
  if (!config.scrub().disabled()) {
    const absl::Duration interval = ToDuration(config.scrub().interval());
    // The scrubber keeps to its own bytes per second.
    tasks_.push_back(std::make_unique<PeriodicTask>(
        std::min(interval, kScrubIntervalMax),
        [this, interval, p = MakePace({config.operations_per_second(), 0}, &stop_)] { Scrub(interval, p); }));
  }
  if (parts_.retention_file != nullptr) {
    tasks_.push_back(std::make_unique<PeriodicTask>(ToDuration(config.retention_interval()),
                                                    [this, p = pace()] { ApplyRetention(p); }));
  }
}

BackgroundUpkeep::~BackgroundUpkeep() {
  stop_.Stop();
  parts_.scrubber->Stop();
  tasks_.clear();
  if (parts_.pulls != nullptr) FlushPulls();
}

void BackgroundUpkeep::Collect(const Pace& pace) {
  const absl::StatusOr<v1::Collection> run = parts_.collector->Run(pace);
  if (!run.ok()) return Fail("the collector's run failed", run.status());
  if (!run->error().empty()) Fail("the collector left something for its next run", absl::UnknownError(run->error()));
  if (run->condemned() + run->deleted() + run->swept() == 0) return;
  Log(LogLevel::kDebug, "collected garbage",
      {{"condemned", run->condemned()},
       {"deleted", run->deleted()},
       {"objects", run->swept()},
       {"bytes", run->swept_bytes()}});
}

void BackgroundUpkeep::ReapOrphans(const Pace& pace) {
  const absl::StatusOr<v1::Collection> run = parts_.collector->ReapOrphans(pace);
  if (!run.ok()) return Fail("the search for objects that nothing names failed", run.status());
  if (!run->error().empty()) {
    Fail("the search for objects that nothing names did not end", absl::UnknownError(run->error()));
  }
  if (run->quarantined() == 0) return;
  Log(LogLevel::kWarning, "quarantined objects that nothing names", {{"objects", run->quarantined()}});
}

void BackgroundUpkeep::Scrub(absl::Duration interval, const Pace& pace) {
  const absl::StatusOr<v1::ScrubReport> report = parts_.scrubber->RunDue(interval, pace);
  if (!report.ok()) Fail("the scrub stopped before its end", report.status());
}

void BackgroundUpkeep::ApplyRetention(const Pace& pace) {
  const absl::StatusOr<v1::RetentionReport> report =
      parts_.retention->Apply(*parts_.retention_file->current(), /*dry_run=*/false, /*account=*/"", pace);
  if (!report.ok()) return Fail("retention failed", report.status());
  if (report->tags() + report->manifests() == 0) return;
  Log(LogLevel::kInfo, "retention removed what its rules do not keep",
      {{"tags", report->tags()}, {"manifests", report->manifests()}});
}

void BackgroundUpkeep::FlushPulls() {
  const absl::Status status = parts_.pulls->Flush();
  if (!status.ok()) Fail("when tags were pulled could not be written", status);
}

void BackgroundUpkeep::Fail(const char* what, const absl::Status& status) {
  if (absl::IsCancelled(status) && stop_.stopped()) return;
  Log(LogLevel::kWarning, what, {{"error", status.message()}});
}

}  // namespace entrepot::manifest
