#ifndef ENTREPOT_SERVICES_BLOB_BLOB_STACK_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_STACK_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/shared.pb.h"
#include "prometheus/registry.h"
#include "services/blob/io/system_calls.h"
#include "services/blob/objects/object_reader.h"
#include "services/blob/objects/verified_reads.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/object_access.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

struct BlobStackOptions {
  // Objects and staged uploads lie below it; made where it is missing. It belongs to one KV for good.
  std::string directory;
  // With defaults filled in (runtime/config/config_defaults.h).
  config::v1::Uploads uploads;
  // How objects are written to (and deleted from) the KV. kBuffered where the record that commits them follows in a
  // synced transaction of the same KV; kSynced where it lies elsewhere.
  kv::Durability object_durability = kv::Durability::kSynced;
  // Copies the KV into a directory that is not there yet, where the KV is this stack's own: backups then have it too
  // (blob_backups.h). They lie in `backups` beside the directory.
  std::function<absl::Status(const std::string& directory)> snapshot_kv = {};
  // How often expired sessions are looked for and gauges brought up to date, by a thread of its own.
  absl::Duration upkeep_interval = absl::Seconds(5);
};

// What the stack is built on; all of it outlives the stack.
struct BlobStackParts {
  kv::KvEngine* kv = nullptr;
  const Clock* clock = nullptr;
  std::shared_ptr<prometheus::Registry> registry;
  // Tests make calls fail through it.
  SystemCalls* system_calls = SystemCalls::Default();
};

// The blob service without its gRPC side: what a process of its own serves and what standalone calls. Thread-safe.
class BlobStack {
 public:
  // kFailedPrecondition: the directory or the KV holds another format, or they do not belong together; kUnavailable:
  // the directory cannot be made or written.
  static absl::StatusOr<std::unique_ptr<BlobStack>> Open(const BlobStackOptions& options, const BlobStackParts& parts);

  // Nothing of it may be in use: appenders and calls are done with.
  virtual ~BlobStack() = default;

  virtual UploadSessions& upload_sessions() = 0;
  virtual ObjectReader& object_reader() = 0;
  virtual VerifiedReads& reads() = 0;
  virtual ObjectAccess& object_access() = 0;
  // OK as long as objects can be read; a store that has turned read-only is still ready.
  virtual absl::Status CheckReady() = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_STACK_H_
