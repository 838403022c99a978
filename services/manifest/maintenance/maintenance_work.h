#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_WORK_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_WORK_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/blob_storage.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/clock_guard.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/gc/store_binding.h"
#include "services/manifest/maintenance/maintenance_jobs.h"
#include "services/manifest/retention/retention.h"
#include "services/manifest/retention/retention_file.h"
#include "services/manifest/scrub/scrubber.h"

namespace entrepot::manifest {

// The work of each job of maintenance.proto. Thread-safe.
class MaintenanceWork {
 public:
  // All must outlive the MaintenanceWork.
  struct Parts {
    kv::KvEngine* kv = nullptr;
    BlobStorage* objects = nullptr;
    StoreBinding* binding = nullptr;
    ClockGuard* clock_guard = nullptr;
    Collector* collector = nullptr;
    Scrubber* scrubber = nullptr;
    const AuditedRetention* retention = nullptr;
    // May be null: then no retention rules are in force.
    const RetentionFile* retention_file = nullptr;
    std::string backup_directory;
    std::function<absl::Status(const std::string& directory)> snapshot_kv;
  };
  explicit MaintenanceWork(Parts parts) : parts_(std::move(parts)) {}

  // Returns the work of the job. `account` is the account that asks for it. kInvalidArgument, kFailedPrecondition: the
  // job cannot be done as requested.
  absl::StatusOr<MaintenanceJobs::Work> Of(const v1::StartJob& job, const std::string& account) const;

 private:
  // Whether upkeep holds back (background_maintenance.h); also from what an operator asks for.
  absl::Status CheckMayCollect() const;
  absl::StatusOr<MaintenanceJobs::Work> Collect(const v1::CollectGarbage& job) const;
  absl::StatusOr<MaintenanceJobs::Work> Check(const v1::CheckInvariants& job) const;
  absl::StatusOr<MaintenanceJobs::Work> BackUp(const v1::BackUp& job) const;
  absl::StatusOr<MaintenanceJobs::Work> Retain(const v1::ApplyRetention& job, const std::string& account) const;

  const Parts parts_;
};

// The name of the job's field in StartJob, like "collect_garbage"; empty if none is set.
std::string KindOf(const v1::StartJob& job);
// Whether the job may change the registry or its backups.
bool ChangesSomething(const v1::StartJob& job);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_WORK_H_
