#include "services/manifest/maintenance/maintenance.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "services/core/time/stop_signal.h"
#include "services/manifest/caches/cache_evictor.h"
#include "services/manifest/gc/clock_guard.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/gc/deletion_pause.h"
#include "services/manifest/gc/store_binding.h"
#include "services/manifest/maintenance/background_maintenance.h"
#include "services/manifest/maintenance/maintenance_jobs.h"
#include "services/manifest/maintenance/maintenance_work.h"
#include "services/manifest/maintenance/pacer.h"
#include "services/manifest/maintenance/upload_administration.h"
#include "services/manifest/retention/retention.h"
#include "services/manifest/retention/retention_file.h"
#include "services/manifest/scrub/scrubber.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using runtime::ToDuration;

// What the audit log shows of the job beside its kind.
std::string TargetOf(const v1::StartJob& job) {
  if (job.has_back_up()) return job.back_up().name();
  std::vector<absl::string_view> options;
  if (job.collect_garbage().now()) options.emplace_back("now");
  if (job.collect_garbage().any_share()) options.emplace_back("any_share");
  return absl::StrJoin(options, " ");
}

class RunningMaintenance : public Maintenance {
 public:
  RunningMaintenance(const Options& options, const Parts& parts, std::unique_ptr<RetentionFile> retention_file)
      : config_(options.collector),
        audit_(parts.audit),
        objects_(*parts.objects),
        retention_file_(std::move(retention_file)),
        binding_(parts.kv, parts.objects, options.registry),
        clock_guard_(parts.kv, parts.clock,
                     {.hold = std::max(ToDuration(config_.lease()), ToDuration(config_.grace())),
                      .shared = options.shared,
                      .since_boot = parts.since_boot ? parts.since_boot : ClockGuard::SinceBoot,
                      .registry = options.registry}),
        collector_(Collector::Create(parts.kv, parts.clock, parts.objects,
                                     {.grace = ToDuration(config_.grace()),
                                      .lease = ToDuration(config_.lease()),
                                      .orphan_age = ToDuration(config_.orphan_age()),
                                      .quarantine_percent_max = config_.quarantine_percent_max(),
                                      .registry = options.registry})),
        scrubber_(Scrubber::Create(parts.kv, parts.clock, parts.objects,
                                   {.bytes_per_second = config_.scrub().bytes_per_second(),
                                    .quarantine_percent_max = config_.quarantine_percent_max(),
                                    .registry = options.registry})),
        reports_(parts.clock,
                 [this](const Digest& digest, const StorageKey& key) -> absl::Status {
                   RETURN_IF_ERROR(binding_.Check());
                   return scrubber_->VerifyReported(digest, key);
                 },
                 {.waiting_max = config_.damage_reports_max(), .registry = options.registry}),
        retention_(parts.kv, parts.clock, parts.catalog, parts.pulls, parts.audit),
        work_({.kv = parts.kv,
               .objects = parts.objects,
               .binding = &binding_,
               .clock_guard = &clock_guard_,
               .collector = collector_.get(),
               .scrubber = scrubber_.get(),
               .retention = &retention_,
               .retention_file = retention_file_.get(),
               .backup_directory = options.backup_directory,
               .snapshot_kv = parts.snapshot_kv}),
        jobs_(parts.clock, options.shared ? parts.kv : nullptr),
        evictor_(parts.kv, parts.clock, parts.catalog, parts.pulls),
        eviction_pace_(MakePace({config_.operations_per_second(), config_.bytes_per_second()}, &eviction_stop_)),
        evictions_([this](const RoomRequest& request) { return Evict(request); }),
        leases_(parts.kv, parts.clock, options.shared),
        background_(config_, {.leases = &leases_,
                              .binding = &binding_,
                              .clock_guard = &clock_guard_,
                              .collector = collector_.get(),
                              .scrubber = scrubber_.get(),
                              .retention = &retention_,
                              .retention_file = retention_file_.get(),
                              .pulls = parts.pulls,
                              .shared = options.shared}) {
    if (options.shared) return;
    // A pause is of a process that was killed, or of the backup that these records come from. If this fails, the pause
    // ends by itself later.
    DeletionPause(parts.kv, parts.clock).EndAll().IgnoreError();
  }

  ~RunningMaintenance() override { eviction_stop_.Stop(); }

  absl::StatusOr<v1::MaintainResponse> Maintain(const v1::MaintainRequest& request) override {
    v1::MaintainResponse response;
    switch (request.command_case()) {
      case v1::MaintainRequest::kGetStatus: {
        ASSIGN_OR_RETURN(*response.mutable_status(), GetStatus());
        return response;
      }
      case v1::MaintainRequest::kStartJob: {
        const absl::StatusOr<v1::Job> job = StartJob(request);
        AuditJob(request, job.status());
        ASSIGN_OR_RETURN(*response.mutable_job(), job);
        return response;
      }
      case v1::MaintainRequest::kGetJob: {
        ASSIGN_OR_RETURN(*response.mutable_job(), jobs_.Get(request.get_job().id()));
        return response;
      }
      case v1::MaintainRequest::kListUploads: {
        ASSIGN_OR_RETURN(*response.mutable_uploads(), ListUploads(request.list_uploads(), objects_));
        return response;
      }
      case v1::MaintainRequest::kCancelUploads: {
        const absl::StatusOr<types::v1::CancelledUploads> cancelled = CancelUploads(request.cancel_uploads(), objects_);
        Audit(request, "cancel_uploads", FilterText(request.cancel_uploads().filter()),
              cancelled.ok() ? "done" : "failed");
        ASSIGN_OR_RETURN(*response.mutable_cancelled_uploads(), cancelled);
        return response;
      }
      case v1::MaintainRequest::kAccept: {
        const absl::Status accepted = Accept(request.accept().what());
        Audit(request, "accept", v1::Accept::What_Name(request.accept().what()), accepted.ok() ? "done" : "failed");
        RETURN_IF_ERROR(accepted);
        ASSIGN_OR_RETURN(*response.mutable_status(), GetStatus());
        return response;
      }
      case v1::MaintainRequest::COMMAND_NOT_SET:
        break;
    }
    return absl::InvalidArgumentError("the request has no command");
  }

  void ReportDamage(const Digest& digest, const StorageKey& storage_key, DamageReports::Done done) override {
    reports_.Add(digest, storage_key, std::move(done));
  }

  void MakeRoom(RoomRequest request, EvictionQueue::Done done) override {
    evictions_.Add(std::move(request), std::move(done));
  }

  void BeginDrain() override {
    evictions_.Stop();
    eviction_stop_.Stop();
    background_.BeginStop();
    reports_.Stop();
  }

 private:
  absl::StatusOr<types::v1::CacheEviction> Evict(const RoomRequest& request) {
    if (!request.dry_run && CacheEvictor::MayEvict(request)) {
      RETURN_IF_ERROR(clock_guard_.Check());
      RETURN_IF_ERROR(binding_.Check());
    }
    return evictor_.MakeRoom(request, eviction_pace_);
  }

  absl::StatusOr<v1::MaintenanceStatus> GetStatus() {
    v1::MaintenanceStatus status;
    RETURN_IF_ERROR(collector_->FillStatus(&status));
    RETURN_IF_ERROR(scrubber_->FillStatus(&status));
    status.set_lease(absl::FormatDuration(ToDuration(config_.lease())));
    status.set_grace(absl::FormatDuration(ToDuration(config_.grace())));
    status.set_orphan_age(absl::FormatDuration(ToDuration(config_.orphan_age())));
    status.set_interval(config_.disabled() ? "" : absl::FormatDuration(ToDuration(config_.interval())));
    AddUploadTotals(objects_, status);
    for (v1::Job& job : jobs_.List()) *status.add_jobs() = std::move(job);
    for (const absl::Status& held : {binding_.Check(), clock_guard_.Check()}) {
      if (absl::IsFailedPrecondition(held)) status.add_held_back(std::string(held.message()));
    }
    return status;
  }

  absl::Status Accept(v1::Accept::What what) {
    if (what == v1::Accept::STORES) return binding_.Accept();
    if (what == v1::Accept::CLOCK) return clock_guard_.Accept();
    return absl::InvalidArgumentError("accept.what must be STORES or CLOCK");
  }

  absl::StatusOr<v1::Job> StartJob(const v1::MaintainRequest& request) {
    const v1::StartJob& job = request.start_job();
    ASSIGN_OR_RETURN(MaintenanceJobs::Work work, work_.Of(job, request.caller().account()));
    return jobs_.Start(KindOf(job), std::move(work));
  }

  void AuditJob(const v1::MaintainRequest& request, const absl::Status& status) {
    const v1::StartJob& job = request.start_job();
    if (ChangesSomething(job)) Audit(request, KindOf(job), TargetOf(job), status.ok() ? "started" : "failed");
  }

  void Audit(const v1::MaintainRequest& request, absl::string_view command, absl::string_view target,
             absl::string_view decision) {
    if (audit_ == nullptr) return;
    audit_->Write("maintenance", {{"account", request.caller().account()},
                                  {"address", request.remote_address()},
                                  {"command", command},
                                  {"target", target},
                                  {"decision", decision}});
  }

  const config::v1::Collector config_;
  runtime::AuditLog* const audit_;
  BlobStorage& objects_;
  // Each depends only on those before it.
  const std::unique_ptr<RetentionFile> retention_file_;
  StoreBinding binding_;
  ClockGuard clock_guard_;
  const std::unique_ptr<Collector> collector_;
  const std::unique_ptr<Scrubber> scrubber_;
  DamageReports reports_;
  const AuditedRetention retention_;
  const MaintenanceWork work_;
  MaintenanceJobs jobs_;
  CacheEvictor evictor_;
  StopSignal eviction_stop_;
  const Pace eviction_pace_;
  EvictionQueue evictions_;
  WorkLeases leases_;
  BackgroundMaintenance background_;
};

}  // namespace

void CheckCollectorConfig(absl::string_view field, const config::v1::Collector& collector,
                          runtime::ConfigProblems* problems) {
  runtime::CheckCollector(field, collector, problems);
  if (collector.retention_file().empty()) return;
  problems->AddLines(absl::StrCat(field, ".retention_file"), CheckRetentionFile(collector.retention_file()));
}

absl::StatusOr<std::unique_ptr<Maintenance>> Maintenance::Start(const Options& options, const Parts& parts) {
  std::unique_ptr<RetentionFile> retention_file;
  if (!options.collector.retention_file().empty()) {
    ASSIGN_OR_RETURN(retention_file, RetentionFile::Open(options.collector.retention_file(), options.registry));
  }
  return std::make_unique<RunningMaintenance>(options, parts, std::move(retention_file));
}

}  // namespace entrepot::manifest
