#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "prometheus/registry.h"
#include "services/core/blob_storage.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/records/random_order.h"

namespace entrepot::manifest {

// Collects garbage while pushes and pulls run: takes blobs and objects through the life cycle of records/blob_record.h.
// Each step is a transaction under the locks of records/catalog_locks.h that reads again whatever it depends on. So any
// number of collectors, in any number of processes, may work on one KV, and any of them may be killed at any step.
// Thread-safe; calls block.
class Collector {
 public:
  struct Options {
    // From CONDEMNED to the deletion of the record: must be longer than any read of the blob takes.
    absl::Duration grace = absl::Hours(1);
    // The lease that the catalog gives (RegistryCatalog::Options).
    absl::Duration lease = absl::Hours(24);
    // The minimum age of an object to be taken for an orphan; also for how long a quarantined suspect is remembered.
    absl::Duration orphan_age = absl::Hours(24);
    // If a run finds orphans that are, with those quarantined in the last `orphan_age`, more than this share of all
    // objects, and more than OrphanQuarantine::kAlwaysAllowed, it does not touch them.
    uint64_t quarantine_percent_max = 5;
    // The registry of the metrics. If null, they are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
    // The source of the order in which each collector visits the queue, so that collectors that run at once do not
    // visit the same entries. If empty, the machine's random numbers.
    RandomBits random = {};
  };

  // All pointers must outlive the collector.
  static std::unique_ptr<Collector> Create(kv::KvEngine* kv, const Clock* clock, BlobStorage* objects,
                                           const Options& options);
  virtual ~Collector() = default;

  // One run: reviews all abandoned uploads and all blobs that are due, and sweeps all deletable objects. If something
  // fails, the run continues with the next thing; what failed is left for the next run, and Collection::error contains
  // the first reason. Only a KV or a blob service that does not answer ends a part of the run early. A run that changed
  // something is added to the history. If `now` is set, it also deletes the CONDEMNED blobs whose grace is not over, as
  // far as no pull may still read them (ReviewTerms). It skips no other wait: leases and upload sessions protect
  // pushes.
  virtual absl::StatusOr<v1::Collection> Run(const Pace& pace, bool now = false) = 0;
  // Quarantines orphans: marks them as suspects, unmarks the suspects that a blob's record names after all, and
  // quarantines the rest. Reads all blob records twice for each batch of orphans. If there are more orphans than
  // Options::quarantine_percent_max allows, together with those that runs have quarantined in the last
  // Options::orphan_age, Collection::error says so and they stay, unless `any_share` is set.
  virtual absl::StatusOr<v1::Collection> QuarantineOrphans(const Pace& pace, bool any_share = false) = 0;
  // Changes nothing. Reports what would be removed if all leases and graces were over and no read were under way.
  virtual absl::StatusOr<v1::Collection> DryRun(const Pace& pace) = 0;

  // How many operations per second are necessary to do in time what is due; changes during a run, and is 0 between
  // runs.
  virtual uint64_t OperationsPerSecondNeeded() const = 0;

  // Sets all fields that are about the collector. Counts the first entries of the queue only, so that its cost does not
  // grow with the queue.
  virtual absl::Status FillStatus(v1::MaintenanceStatus* status) = 0;
  // What waits, and until when. Reads the whole queue.
  virtual absl::StatusOr<v1::Waits> ReadWaits(const Pace& pace) = 0;

  // While any Pause lives, no collector of any process that shares the KV begins to sweep or to quarantine objects;
  // their runs leave that for a later run. For a backup that copies records first, and then objects: what is deleted
  // meanwhile after all was unusable when the pause began (deletion_pause.h).
  class Pause {
   public:
    virtual ~Pause() = default;
    // OK if the pause has been in force since it began; it is renewed by itself. kFailedPrecondition if it was not,
    // because the process was stopped for minutes: what was copied may lack objects.
    virtual absl::Status Check() = 0;
  };
  virtual absl::StatusOr<std::unique_ptr<Pause>> PauseDeletions() = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_H_
