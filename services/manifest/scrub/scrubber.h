#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUBBER_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUBBER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "prometheus/registry.h"
#include "services/core/blob_storage.h"
#include "services/core/digest.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Verifies the bytes of every blob again and again, to find damage before a client does. A blob whose bytes are not
// what they should be is marked CORRUPT: it is not served until the next push heals it; its bytes are quarantined.
// Thread-safe; calls block.
class Scrubber {
 public:
  struct Options {
    // 0: no limit.
    uint64_t bytes_per_second = 16 << 20;
    // A pass of RunDue() that finds more blobs corrupt or missing than this share (and more than 10) stops.
    uint64_t quarantine_percent_max = 5;
    // The registry of the metrics. If null, they are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
  };

  // All pointers must outlive the scrubber.
  static std::unique_ptr<Scrubber> Create(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects,
                                          const Options& options);
  virtual ~Scrubber() = default;

  // Continues the pass that is under way, also one that an earlier process began. If none is under way, begins one if
  // the last pass ended at least `interval` ago or there was none; otherwise returns at once. Runs until the pass is
  // complete or `pace` returns false. A blob that cannot be verified is counted and listed, and the pass goes on.
  // Returns the report of the pass so far. kFailedPrecondition: too many blobs are damaged (Options); only RunNow()
  // goes on. If another call is running the pass, returns the report at once.
  virtual absl::StatusOr<v1::ScrubReport> RunDue(absl::Duration interval, const Pace& pace) = 0;
  // Learns of the blobs that the passes of other processes have marked, after the end of each pass: then it reads all
  // blob records, otherwise little.
  virtual absl::Status FollowOthers() = 0;
  // Runs a separate pass from the first blob on, without the limit of bytes per second.
  virtual absl::StatusOr<v1::ScrubReport> RunNow(const Pace& pace) = 0;

  // Verifies a blob whose bytes a reader has reported as damaged. OK: the object is good, the blob is marked CORRUPT
  // now, or the object is not the bytes of a LIVE blob any more. Takes as long as reading the blob: DamageReports calls
  // it on a thread of its own.
  virtual absl::Status VerifyReported(const Digest& digest, const StorageKey& storage_key) = 0;

  // Call it before the process ends: verifications under way end soon, with kCancelled.
  virtual void Stop() = 0;

  // Sets the fields about the scrub and the corrupt blobs. Reads all blob records if they have not been read yet.
  virtual absl::Status FillStatus(v1::MaintenanceStatus* status) = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUBBER_H_
