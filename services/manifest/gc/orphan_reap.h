#ifndef ENTREPOT_SERVICES_MANIFEST_GC_ORPHAN_REAP_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_ORPHAN_REAP_H_

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/object_access.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collection_run.h"
#include "services/manifest/gc/collector_metrics.h"
#include "services/manifest/gc/deletion_pause.h"

namespace entrepot::manifest {

// Quarantines objects that nothing names (Collector::ReapOrphans). The steps may be left at any point: the next run
// finds the marks, and goes on.
class OrphanReap {
 public:
  // Storage keys. Some of all the registry's, `kBatch` at most.
  using Keys = std::set<std::string>;
  static constexpr size_t kBatch = 200'000;

  // All outlive it.
  OrphanReap(kv::KvEngine* kv, const Clock* clock, ObjectAccess* objects, DeletionGate* gate, CollectorMetrics* metrics,
             absl::Duration age)
      : kv_(kv), clock_(clock), objects_(objects), gate_(gate), metrics_(metrics), age_(age) {}

  absl::Status Run(CollectionRun* run) const;

  // The steps of Run(), in their order; the first two again and again until `position` is empty.

  // Suspects of an earlier run that are still to be judged. Marks that have done their duty go.
  absl::StatusOr<Keys> ReadSuspects(std::string* position, CollectionRun* run) const;
  // Old objects that no session, no record and no intent names.
  absl::StatusOr<Keys> FindOrphans(std::string* position, CollectionRun* run) const;
  // From now on no commit makes them anybody's. Takes out those that are to be deleted anyway.
  absl::Status Mark(Keys* suspects, CollectionRun* run) const;
  // Takes out those that were somebody's before they were marked.
  absl::Status StrikeOff(Keys* suspects, CollectionRun* run) const;
  absl::Status Quarantine(const Keys& suspects, CollectionRun* run) const;

 private:
  absl::Status Judge(Keys suspects, CollectionRun* run) const;
  // Calls `fn` with each storage key that a blob record names.
  absl::Status ForEachNamed(const std::function<absl::Status(const std::string&)>& fn, CollectionRun* run) const;
  // Takes out what intents and marks name.
  absl::Status SubtractIntents(Keys* suspects, CollectionRun* run) const;
  // Writes what `change` makes of the mark of a suspect, if it is there still; false: the mark goes.
  using Change = std::function<bool(storage::v1::DeleteIntentRecord*)>;
  absl::Status ChangeMark(const StorageKey& storage_key, const Change& change) const;
  absl::Status QuarantineOne(const StorageKey& storage_key, CollectionRun* run) const;

  kv::KvEngine* const kv_;
  const Clock* const clock_;
  ObjectAccess* const objects_;
  DeletionGate* const gate_;
  CollectorMetrics* const metrics_;
  const absl::Duration age_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_ORPHAN_REAP_H_
