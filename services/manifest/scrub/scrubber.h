#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUBBER_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUBBER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "prometheus/registry.h"
#include "services/core/digest.h"
#include "services/core/object_access.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/core/time/pace.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Reads every object again, to find what the disk has lost before anybody needs it. A blob whose bytes are not what
// they should be is marked CORRUPT: no longer served, and healed by the next push of it; its bytes are quarantined.
// Thread-safe; calls block.
class Scrubber {
 public:
  struct Options {
    // 0: as fast as it goes.
    uint64_t bytes_per_second = 16 << 20;
    std::shared_ptr<prometheus::Registry> registry;
  };

  // All outlive the scrubber.
  static std::unique_ptr<Scrubber> Create(kv::KvEngine* kv, const Clock* clock, ObjectAccess* objects,
                                          const Options& options);
  virtual ~Scrubber() = default;

  // Goes on with the pass that is under way, from where an earlier process was if need be; begins one where the last
  // has ended `interval` ago or never was; else returns at once. Until the end of the pass, or `pace` says stop.
  virtual absl::StatusOr<v1::ScrubReport> RunDue(absl::Duration interval, const Pace& pace) = 0;
  // A pass of its own from the first blob on, as fast as it goes.
  virtual absl::StatusOr<v1::ScrubReport> RunNow(const Pace& pace) = 0;

  // Somebody has read something else there. OK where that is settled: the object is good, is marked now, or is not the
  // blob's any more.
  virtual absl::Status Examine(const Digest& digest, const StorageKey& storage_key) = 0;

  // For who is about to end: runs under way end soon, as where `pace` says stop, with kCancelled.
  virtual void Stop() = 0;

  // The pass, and the corrupt blobs. Reads all blob records.
  virtual absl::Status FillStatus(v1::UpkeepStatus* status) = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUBBER_H_
