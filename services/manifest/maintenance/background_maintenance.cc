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
// A copy of the records is recognized as one after this time.
constexpr absl::Duration kBindingInterval = absl::Minutes(10);
// The longest interval between checks whether a pass of the scrub is due.
constexpr absl::Duration kScrubIntervalMax = absl::Minutes(1);

}  // namespace

BackgroundMaintenance::BackgroundMaintenance(const config::v1::Collector& config, const Parts& parts) : parts_(parts) {
  if (parts_.pulls != nullptr) {
    tasks_.push_back(std::make_unique<PeriodicTask>(kPullsInterval, [this] { FlushPulls(); }));
  }
  tasks_.push_back(std::make_unique<PeriodicTask>(kBindingInterval, [this] { AdvanceBinding(); }));
  if (parts_.shared) {
    tasks_.push_back(std::make_unique<PeriodicTask>(ProcessClocks::kInterval, [this] { NoteClock(); }));
  }
  if (config.disabled()) return;
  const auto pace = [&] { return MakePace({config.operations_per_second(), config.bytes_per_second()}, &stop_); };
  const Pace pace_of_queue =
      MakePace({.operations_per_second = config.operations_per_second(),
                .bytes_per_second = config.bytes_per_second(),
                .operations_needed = [this] { return parts_.collector->OperationsPerSecondNeeded(); },
                .operations_per_second_max = config.operations_per_second_max()},
               &stop_);
  tasks_.push_back(std::make_unique<PeriodicTask>(ToDuration(config.interval()), [this, pace_of_queue] {
    RunLeased("collect", pace_of_queue, [this](const Pace& pace) { Collect(pace); });
  }));
  tasks_.push_back(std::make_unique<PeriodicTask>(ToDuration(config.orphan_interval()), [this, p = pace()] {
    RunLeased("orphans", p, [this](const Pace& pace) { QuarantineOrphans(pace); });
  }));
  if (!config.scrub().disabled()) {
    const absl::Duration interval = ToDuration(config.scrub().interval());
    // The scrubber has its own limit of bytes per second.
    tasks_.push_back(std::make_unique<PeriodicTask>(
        std::min(interval, kScrubIntervalMax),
        [this, interval, p = MakePace({config.operations_per_second(), 0}, &stop_)] {
          RunLeased("scrub", p, [this, interval](const Pace& pace) { Scrub(interval, pace); });
          if (parts_.shared) FollowScrub();
        }));
  }
  if (parts_.retention_file != nullptr) {
    tasks_.push_back(std::make_unique<PeriodicTask>(ToDuration(config.retention_interval()), [this, p = pace()] {
      RunLeased("retention", p, [this](const Pace& pace) { ApplyRetention(pace); });
    }));
  }
}

void BackgroundMaintenance::BeginStop() {
  stop_.Stop();
  parts_.scrubber->Stop();
}

BackgroundMaintenance::~BackgroundMaintenance() {
  BeginStop();
  tasks_.clear();
  if (parts_.pulls != nullptr) FlushPulls();
}

void BackgroundMaintenance::RunLeased(const char* name, const Pace& pace,
                                      const std::function<void(const Pace& pace)>& work) {
  const absl::StatusOr<bool> done = parts_.leases->Run(name, pace, work);
  if (!done.ok()) Fail("the lease of background work could not be taken", done.status());
}

void BackgroundMaintenance::NoteClock() {
  const absl::Status status = parts_.clock_guard->Check();
  if (!status.ok() && !absl::IsFailedPrecondition(status)) Fail("the clock could not be noted", status);
}

void BackgroundMaintenance::AdvanceBinding() {
  const absl::Status status = parts_.binding->Advance();
  if (!status.ok()) Fail("the binding of records and objects could not be renewed", status);
}

bool BackgroundMaintenance::MayWork() {
  const absl::Status status = parts_.binding->Check();
  // The binding has logged a mismatch.
  if (!status.ok() && !absl::IsFailedPrecondition(status)) Fail("the blob service does not answer upkeep", status);
  return status.ok();
}

bool BackgroundMaintenance::MayCollect() {
  const absl::Status status = parts_.clock_guard->Check();
  // The guard has logged a step.
  if (!status.ok() && !absl::IsFailedPrecondition(status)) Fail("the state of the clock cannot be read", status);
  return status.ok() && MayWork();
}

void BackgroundMaintenance::Collect(const Pace& pace) {
  if (!MayCollect()) return;
  const absl::StatusOr<v1::Collection> run = parts_.collector->Run(pace);
  if (!run.ok()) return Fail("the collector failed", run.status());
  if (!run->error().empty()) Fail("the collector left work for its next run", absl::UnknownError(run->error()));
  if (run->condemned() + run->deleted() + run->swept() == 0) return;
  Log(LogLevel::kDebug, "collected garbage",
      {{"condemned", run->condemned()},
       {"deleted", run->deleted()},
       {"objects", run->swept()},
       {"bytes", run->swept_bytes()}});
}

void BackgroundMaintenance::QuarantineOrphans(const Pace& pace) {
  if (!MayCollect()) return;
  const absl::StatusOr<v1::Collection> run = parts_.collector->QuarantineOrphans(pace);
  if (!run.ok()) return Fail("the quarantine of orphaned objects failed", run.status());
  if (!run->error().empty()) {
    Fail("the quarantine of orphaned objects is not complete", absl::UnknownError(run->error()));
  }
  if (run->quarantined() == 0) return;
  Log(LogLevel::kWarning, "quarantined orphaned objects", {{"objects", run->quarantined()}});
}

void BackgroundMaintenance::Scrub(absl::Duration interval, const Pace& pace) {
  if (!MayWork()) return;
  const absl::StatusOr<v1::ScrubReport> report = parts_.scrubber->RunDue(interval, pace);
  if (!report.ok()) Fail("the scrub stopped before the end", report.status());
}

void BackgroundMaintenance::FollowScrub() {
  const absl::Status status = parts_.scrubber->FollowOthers();
  if (!status.ok()) Fail("the corrupt blobs could not be counted", status);
}

void BackgroundMaintenance::ApplyRetention(const Pace& pace) {
  if (!MayCollect()) return;
  const absl::StatusOr<v1::RetentionReport> report =
      parts_.retention->Apply(*parts_.retention_file->current(), /*dry_run=*/false, /*account=*/"", pace);
  if (!report.ok()) return Fail("retention failed", report.status());
  if (report->tags() + report->manifests() == 0) return;
  Log(LogLevel::kInfo, "retention removed tags and manifests",
      {{"tags", report->tags()}, {"manifests", report->manifests()}});
}

void BackgroundMaintenance::FlushPulls() {
  const absl::Status status = parts_.pulls->Flush();
  if (!status.ok()) Fail("the pull times of tags could not be written", status);
}

void BackgroundMaintenance::Fail(const char* what, const absl::Status& status) {
  if (absl::IsCancelled(status) && stop_.stopped()) return;
  Log(LogLevel::kWarning, what, {{"error", status.message()}});
}

}  // namespace entrepot::manifest
