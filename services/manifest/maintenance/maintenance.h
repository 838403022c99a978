#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "prometheus/registry.h"
#include "services/core/caller.h"
#include "services/core/digest.h"
#include "services/core/object_access.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::manifest {

// Everything that goes on in the background beside the catalog: collection, scrub, retention, the writing of pull
// times; and what the operator asks for. Thread-safe.
class Upkeep {
 public:
  struct Options {
    // With defaults filled in (runtime/config/config_defaults.h).
    config::v1::Collector collector;
    // Where backups go: <data directory>/backups.
    std::string backup_directory;
    std::shared_ptr<prometheus::Registry> registry;
  };
  struct Parts {
    kv::KvEngine* kv = nullptr;
    const Clock* clock = nullptr;
    RegistryCatalog* catalog = nullptr;
    ObjectAccess* objects = nullptr;
    // Null: nobody notes when tags are pulled.
    PullTimes* pulls = nullptr;
    // Null: nowhere.
    runtime::AuditLog* audit = nullptr;
    // Copies the KV into a directory that is not there yet (kv::KvStack::Snapshot).
    std::function<absl::Status(const std::string& directory)> snapshot_kv;
  };

  // Starts the background work. All parts outlive it. kInvalidArgument, kNotFound …: the retention file cannot be used.
  static absl::StatusOr<std::unique_ptr<Upkeep>> Start(const Options& options, const Parts& parts);
  // Waits for the steps under way, not for whole runs.
  virtual ~Upkeep() = default;

  // kInvalidArgument, kNotFound, kAlreadyExists as maintenance.proto has them. Never takes longer than a moment.
  virtual absl::StatusOr<v1::MaintainResponse> Maintain(const v1::MaintainRequest& request) = 0;
  // The blob's bytes are read before this returns.
  virtual absl::Status ReportDamage(const Digest& digest, const StorageKey& storage_key) = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_MAINTENANCE_H_
