#ifndef ENTREPOT_SERVICES_BLOB_BLOB_STACK_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_STACK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/registry.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verified_reader.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/blob_storage.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/runtime/health_checks.h"

namespace entrepot::blob {

struct BlobStackOptions {
  // The directory of objects and staged uploads; made if it does not exist. It belongs to one KV permanently.
  std::string directory;
  // If it names another store for large objects, the directory is not used for them. With defaults filled in.
  config::v1::ObjectStorage objects = {};
  // With defaults filled in (runtime/config/config_defaults.h).
  config::v1::Uploads uploads;
  // The durability of objects that are written to, and deleted from, the KV. kBuffered suffices if the catalog is in
  // the same KV: the catalog commits an object in a later, synced transaction, which makes the object durable too. If
  // the catalog is in another KV, kSynced is necessary.
  kv::Durability object_durability = kv::Durability::kSynced;
  // Copies the KV into a directory that does not exist yet. Set if the KV belongs to this stack alone: backups then
  // include it (blob_backups.h). Backups are in `backups` beside the directory.
  std::function<absl::Status(const std::string& directory)> snapshot_kv = {};
  // The interval at which a thread ends expired sessions and updates gauges.
  absl::Duration upkeep_interval = absl::Seconds(5);
};

// The dependencies of the stack. All of them outlive it.
struct BlobStackParts {
  kv::KvEngine* kv = nullptr;
  const Clock* clock = nullptr;
  std::shared_ptr<prometheus::Registry> registry;
  // Replaced by tests to make system calls fail.
  SystemCalls* system_calls = SystemCalls::Default();
};

// The blob service without gRPC: a process of its own serves it over gRPC, and standalone calls it directly.
// Thread-safe.
class BlobStack {
 public:
  // kFailedPrecondition if the directory or the KV has another format, or if they do not belong together; kUnavailable
  // if the directory cannot be made or written.
  static absl::StatusOr<std::unique_ptr<BlobStack>> Open(const BlobStackOptions& options, const BlobStackParts& parts);

  // No appender may exist and no call may be running.
  virtual ~BlobStack() = default;

  virtual UploadSessions& upload_sessions() = 0;
  virtual ObjectStore& objects() = 0;
  virtual VerifiedReader& reader() = 0;
  virtual BlobStorage& storage() = 0;
  // For RunningService::Checks(): whether objects can be read, and whether uploads can be stored. A store that has
  // turned read-only, whose disk is full, or whose server is away, still serves pulls: small blobs are in the KV. This
  // must outlive the checks.
  virtual std::vector<runtime::HealthCheck> Checks() = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_STACK_H_
