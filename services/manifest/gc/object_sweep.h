#ifndef ENTREPOT_SERVICES_MANIFEST_GC_OBJECT_SWEEP_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_OBJECT_SWEEP_H_

#include <vector>

#include "absl/status/status.h"
#include "services/core/object_access.h"
#include "services/core/random_order.h"
#include "services/core/storage_key.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collection_run.h"
#include "services/manifest/gc/collector_metrics.h"
#include "services/manifest/gc/deletion_pause.h"

namespace entrepot::manifest {

// Deletes the objects of delete intents, and then the intents. What cannot be deleted now stays for another time, and
// so does everything while the gate is closed. Thread-safe.
class ObjectSweep {
 public:
  // All outlive it.
  ObjectSweep(kv::KvEngine* kv, ObjectAccess* objects, DeletionGate* gate, CollectorMetrics* metrics,
              const RandomBits* random)
      : kv_(kv), objects_(objects), gate_(gate), metrics_(metrics), random_(random) {}

  // Those of them that are still intents. An error where the intents cannot be read or removed.
  absl::Status Sweep(const std::vector<StorageKey>& storage_keys, CollectionRun* run) const;
  // All there are.
  absl::Status SweepAll(CollectionRun* run) const;

 private:
  struct Doomed {
    StorageKey storage_key;
    uint64_t size_bytes = 0;
  };

  absl::Status SweepBatch(const std::vector<StorageKey>& storage_keys, CollectionRun* run) const;
  // Those that are to be deleted. A power cut does not make them anybody's any more.
  absl::StatusOr<std::vector<Doomed>> Confirm(const std::vector<StorageKey>& storage_keys) const;
  absl::Status RemoveIntents(const std::vector<Doomed>& swept, CollectionRun* run) const;

  kv::KvEngine* const kv_;
  ObjectAccess* const objects_;
  DeletionGate* const gate_;
  CollectorMetrics* const metrics_;
  const RandomBits* const random_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_OBJECT_SWEEP_H_
