#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/shared.pb.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "prometheus/registry.h"
#include "services/core/blob_storage.h"
#include "services/core/caller.h"
#include "services/core/digest.h"
#include "services/core/room_request.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/caches/eviction_queue.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/scrub/damage_reports.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::manifest {

// Checks the collector's configuration and the retention file that it names. Adds what is wrong with them to
// `problems`; `field` is the name of the collector's message in the configuration.
void CheckCollectorConfig(absl::string_view field, const config::v1::Collector& collector,
                          runtime::ConfigProblems* problems);

// The maintenance of the catalog: the background work (background_maintenance.h), and the status and the jobs that an
// operator asks for. Thread-safe.
class Maintenance {
 public:
  struct Options {
    // Must have its defaults filled in (runtime/config/config_defaults.h).
    config::v1::Collector collector;
    // Other processes write the same records.
    bool shared = false;
    // The directory of the backups: <data directory>/backups.
    std::string backup_directory;
    std::shared_ptr<prometheus::Registry> registry;
  };
  struct Parts {
    kv::KvEngine* kv = nullptr;
    const Clock* clock = nullptr;
    RegistryCatalog* catalog = nullptr;
    BlobStorage* objects = nullptr;
    // May be null: then pull times are not recorded.
    PullTimes* pulls = nullptr;
    // May be null: then there is no audit log.
    runtime::AuditLog* audit = nullptr;
    // Replaces ClockGuard::SinceBoot in tests whose clock does not move by itself.
    std::function<absl::Duration()> since_boot = {};
    // Copies the KV into a directory that must not exist yet (kv::KvStack::Snapshot).
    std::function<absl::Status(const std::string& directory)> snapshot_kv;
  };

  // Starts the background work. All parts must outlive the Maintenance. kInvalidArgument, kNotFound and others: the
  // retention file cannot be used.
  static absl::StatusOr<std::unique_ptr<Maintenance>> Start(const Options& options, const Parts& parts);
  // Stops all work. Waits for the steps under way, not for whole runs.
  virtual ~Maintenance() = default;

  // Answers at once: long work is a job. maintenance.proto describes when a call returns kInvalidArgument, kNotFound or
  // kAlreadyExists.
  virtual absl::StatusOr<v1::MaintainResponse> Maintain(const v1::MaintainRequest& request) = 0;
  // See DamageReports::Add(). Returns at once.
  virtual void ReportDamage(const Digest& digest, const StorageKey& storage_key, DamageReports::Done done) = 0;
  // See CacheEvictor::MakeRoom(). Returns at once; `done` is called when the request has been answered, which may take
  // minutes. kFailedPrecondition: upkeep holds back, so nothing is evicted. kResourceExhausted: too many requests wait.
  // kCancelled: BeginDrain() was called.
  virtual void MakeRoom(RoomRequest request, EvictionQueue::Done done) = 0;
  // Call it when a drain begins: ends verifications, evictions and background work soon, so that no reporter waits any
  // more.
  virtual void BeginDrain() = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_H_
