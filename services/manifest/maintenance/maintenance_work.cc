#include "services/manifest/maintenance/maintenance_work.h"

#include <memory>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "services/core/files/named_backup.h"
#include "services/manifest/check/catalog_check.h"
#include "services/manifest/maintenance/registry_backup.h"
#include "services/manifest/maintenance/upload_administration.h"
#include "services/manifest/maintenance/usage.h"
#include "services/manifest/retention/retention_rules.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

// Adds the results of a run that quarantined orphans to the report of a collection.
void AddOrphans(const v1::Collection& orphans, v1::Collection* report) {
  report->set_quarantined(report->quarantined() + orphans.quarantined());
  report->set_swept(report->swept() + orphans.swept());
  report->set_swept_bytes(report->swept_bytes() + orphans.swept_bytes());
  *report->mutable_ended_at() = orphans.ended_at();
  if (report->error().empty()) report->set_error(orphans.error());
}

}  // namespace

std::string KindOf(const v1::StartJob& job) {
  const auto* const oneof = v1::StartJob::descriptor()->FindOneofByName("job");
  const auto* const field = v1::StartJob::GetReflection()->GetOneofFieldDescriptor(job, oneof);
  return field == nullptr ? "" : std::string(field->name());
}

bool ChangesSomething(const v1::StartJob& job) {
  switch (job.job_case()) {
    case v1::StartJob::kCollectGarbage:
      return !job.collect_garbage().dry_run();
    case v1::StartJob::kApplyRetention:
      return !job.apply_retention().dry_run();
    case v1::StartJob::kScrub:
    case v1::StartJob::kBackUp:
      return true;
    case v1::StartJob::kCheckInvariants:
    case v1::StartJob::kMeasureUsage:
    case v1::StartJob::JOB_NOT_SET:
      return false;
  }
  return false;
}

absl::StatusOr<MaintenanceJobs::Work> MaintenanceWork::Of(const v1::StartJob& job, const std::string& account) const {
  switch (job.job_case()) {
    case v1::StartJob::kCollectGarbage:
      return Collect(job.collect_garbage());
    case v1::StartJob::kScrub:
      return [this](const Pace& pace, v1::Job* result) -> absl::Status {
        RETURN_IF_ERROR(parts_.binding->Check());
        ASSIGN_OR_RETURN(*result->mutable_scrub(), parts_.scrubber->RunNow(pace));
        return absl::OkStatus();
      };
    case v1::StartJob::kCheckInvariants:
      return Check(job.check_invariants());
    case v1::StartJob::kBackUp:
      return BackUp(job.back_up());
    case v1::StartJob::kMeasureUsage:
      return [this](const Pace& pace, v1::Job* result) -> absl::Status {
        ASSIGN_OR_RETURN(*result->mutable_usage(), MeasureUsage(*parts_.kv, pace));
        ASSIGN_OR_RETURN(*result->mutable_usage()->mutable_waits(), parts_.collector->ReadWaits(pace));
        AddUploadTotals(*parts_.objects, *result->mutable_usage());
        return absl::OkStatus();
      };
    case v1::StartJob::kApplyRetention:
      return Retain(job.apply_retention(), account);
    case v1::StartJob::JOB_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("start_job names no job");
}

absl::Status MaintenanceWork::CheckMayCollect() const {
  RETURN_IF_ERROR(parts_.clock_guard->Check());
  return parts_.binding->Check();
}

absl::StatusOr<MaintenanceJobs::Work> MaintenanceWork::Collect(const v1::CollectGarbage& job) const {
  if (job.dry_run()) {
    return [this](const Pace& pace, v1::Job* result) -> absl::Status {
      ASSIGN_OR_RETURN(*result->mutable_collection(), parts_.collector->DryRun(pace));
      return absl::OkStatus();
    };
  }
  return [this, any_share = job.any_share(), now = job.now()](const Pace& pace, v1::Job* result) -> absl::Status {
    RETURN_IF_ERROR(CheckMayCollect());
    v1::Collection& collection = *result->mutable_collection();
    ASSIGN_OR_RETURN(collection, parts_.collector->Run(pace, now));
    ASSIGN_OR_RETURN(const v1::Collection orphans, parts_.collector->QuarantineOrphans(pace, any_share));
    AddOrphans(orphans, &collection);
    ASSIGN_OR_RETURN(*collection.mutable_waits(), parts_.collector->ReadWaits(pace));
    AddUploadTotals(*parts_.objects, collection);
    return absl::OkStatus();
  };
}

absl::StatusOr<MaintenanceJobs::Work> MaintenanceWork::Check(const v1::CheckInvariants& job) const {
  return [this, rehash = job.rehash()](const Pace& pace, v1::Job* result) -> absl::Status {
    ASSIGN_OR_RETURN(*result->mutable_invariants(),
                     CheckCatalog(*parts_.kv, *parts_.objects, {.rehash = rehash, .online = true}, pace));
    return absl::OkStatus();
  };
}

absl::StatusOr<MaintenanceJobs::Work> MaintenanceWork::BackUp(const v1::BackUp& job) const {
  RETURN_IF_ERROR(CheckBackupName(job.name()));
  return [this, name = job.name()](const Pace&, v1::Job* result) -> absl::Status {
    ASSIGN_OR_RETURN(*result->mutable_backup(), TakeBackup(parts_.backup_directory, name, *parts_.kv,
                                                           parts_.snapshot_kv, *parts_.objects, *parts_.collector));
    // The copy of the records is older than the objects from now on. If that fails, the next renewal does it.
    parts_.binding->Advance().IgnoreError();
    return absl::OkStatus();
  };
}

absl::StatusOr<MaintenanceJobs::Work> MaintenanceWork::Retain(const v1::ApplyRetention& job,
                                                              const std::string& account) const {
  std::shared_ptr<const RetentionRules> rules;
  if (!job.rules().empty()) {
    if (!job.dry_run()) {
      return absl::InvalidArgumentError(
          "rules in a request are allowed only for a dry run; a real run applies collector.retention_file");
    }
    ASSIGN_OR_RETURN(RetentionRules parsed, ParseRetentionRules(job.rules()));
    rules = std::make_shared<const RetentionRules>(std::move(parsed));
  } else if (parts_.retention_file == nullptr) {
    return absl::FailedPreconditionError("no rules are in force: collector.retention_file is not configured");
  } else {
    rules = parts_.retention_file->current();
  }
  return [this, rules, dry_run = job.dry_run(), account](const Pace& pace, v1::Job* result) -> absl::Status {
    if (!dry_run) RETURN_IF_ERROR(CheckMayCollect());
    ASSIGN_OR_RETURN(*result->mutable_retention(), parts_.retention->Apply(*rules, dry_run, account, pace));
    return absl::OkStatus();
  };
}

}  // namespace entrepot::manifest
