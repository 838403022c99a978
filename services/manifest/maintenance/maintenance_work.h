#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_WORK_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_WORK_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/object_access.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/maintenance/maintenance_jobs.h"
#include "services/manifest/retention/audited_retention.h"
#include "services/manifest/retention/retention_file.h"
#include "services/manifest/scrub/scrubber.h"

namespace entrepot::manifest {

// What each job of maintenance.proto does. Thread-safe.
class MaintenanceWork {
 public:
  // All outlive the work.
  struct Parts {
    kv::KvEngine* kv = nullptr;
    ObjectAccess* objects = nullptr;
    Collector* collector = nullptr;
    Scrubber* scrubber = nullptr;
    const AuditedRetention* retention = nullptr;
    // Null: no rules are in force.
    const RetentionFile* retention_file = nullptr;
    std::string backup_directory;
    std::function<absl::Status(const std::string& directory)> snapshot_kv;
  };
  explicit MaintenanceWork(Parts parts) : parts_(std::move(parts)) {}

  // kInvalidArgument, kFailedPrecondition: the job cannot be done as it is asked for. `account`: who asks.
  absl::StatusOr<MaintenanceJobs::Work> Of(const v1::StartJob& job, const std::string& account) const;

 private:
  absl::StatusOr<MaintenanceJobs::Work> Collect(const v1::CollectGarbage& job) const;
  absl::StatusOr<MaintenanceJobs::Work> Check(const v1::CheckInvariants& job) const;
  absl::StatusOr<MaintenanceJobs::Work> BackUp(const v1::BackUp& job) const;
  absl::StatusOr<MaintenanceJobs::Work> Retain(const v1::ApplyRetention& job, const std::string& account) const;

  const Parts parts_;
};

// "collect_garbage": the job's field; empty where there is none.
std::string KindOf(const v1::StartJob& job);
// Whether anything is another thing after it.
bool ChangesSomething(const v1::StartJob& job);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_WORK_H_
