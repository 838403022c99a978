#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "prometheus/registry.h"
#include "services/core/object_access.h"
#include "services/core/random_order.h"
#include "services/core/time/clock.h"
#include "services/core/time/pace.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Lets garbage go (design, "Content records", 6 to 9) while pushes and pulls run. Each step is a transaction under the
// locks of catalog_locks.h that looks at everything again: any number of collectors, in any number of processes, may
// work on one KV, and any may die at any step. Thread-safe; calls block.
class Collector {
 public:
  struct Options {
    // From CONDEMNED to the end of the record: longer than any read of the blob takes.
    absl::Duration grace = absl::Hours(1);
    // How old an object must be that nothing names before it is quarantined.
    absl::Duration orphan_age = absl::Hours(24);
    std::shared_ptr<prometheus::Registry> registry;
    // Collectors that work side by side each go over the queue in an order of their own. None: the machine's.
    RandomBits random = {};
  };

  // All outlive the collector.
  static std::unique_ptr<Collector> Create(kv::KvEngine* kv, const Clock* clock, ObjectAccess* objects,
                                           const Options& options);
  virtual ~Collector() = default;

  // One run: abandoned uploads, then all reviews that are due, then all delete intents. Where something fails it goes
  // on with the next thing; what failed is left for the next run, and Collection::error says the first reason. A run
  // that did anything is kept in the history.
  virtual absl::StatusOr<v1::Collection> Run(const Pace& pace) = 0;
  // Objects that nothing names: first they are marked as suspects, then those that are somebody's after all are struck
  // off, the rest is quarantined. Reads all blob records for each batch of them.
  virtual absl::StatusOr<v1::Collection> ReapOrphans(const Pace& pace) = 0;
  // Changes nothing. What would go were no lease, grace or reader in the way.
  virtual absl::StatusOr<v1::Collection> DryRun(const Pace& pace) = 0;

  // Fills in all that is about the collector. Reads the whole queue.
  virtual absl::Status FillStatus(v1::UpkeepStatus* status) = 0;

  // While any hold lives no object is deleted or quarantined by this collector, whose runs leave that for a later one:
  // for who copies objects. Blocks until deletions under way are done.
  class Hold {
   public:
    virtual ~Hold() = default;
  };
  virtual std::unique_ptr<Hold> HoldObjects() = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTOR_H_
