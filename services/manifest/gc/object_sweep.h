#ifndef ENTREPOT_SERVICES_MANIFEST_GC_OBJECT_SWEEP_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_OBJECT_SWEEP_H_

#include <vector>

#include "absl/status/status.h"
#include "services/core/blob_storage.h"
#include "services/core/storage_key.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/gc/collection_backlog.h"
#include "services/manifest/gc/collection_run.h"
#include "services/manifest/gc/collector_metrics.h"
#include "services/manifest/gc/deletion_pause.h"
#include "services/manifest/records/random_order.h"

namespace entrepot::manifest {

// Sweeps deletable objects: deletes the objects, and then their intents. An object that cannot be deleted now is left
// for a later sweep, and so is every object during a pause of deletions. Objects are deleted in batches. Thread-safe.
class ObjectSweep {
 public:
  // All pointers must outlive the ObjectSweep.
  ObjectSweep(kv::KvEngine* kv, BlobStorage* objects, DeletionPause* pause, CollectorMetrics* metrics,
              CollectionBacklog* backlog, const RandomBits* random)
      : kv_(kv), objects_(objects), pause_(pause), metrics_(metrics), backlog_(backlog), random_(random) {}

  // Sweeps those of the objects that are still deletable. Returns an error if the intents cannot be read or removed.
  absl::Status Sweep(const std::vector<StorageKey>& storage_keys, CollectionRun* run) const;
  // Sweeps all deletable objects.
  absl::Status SweepAll(CollectionRun* run) const;

 private:
  struct Deletable {
    StorageKey storage_key;
    uint64_t size_bytes = 0;
  };

  // Deletes the objects and removes their intents. An error: the blob service does not answer, or the KV is broken.
  absl::Status DeleteObjects(const std::vector<Deletable>& deletable, CollectionRun* run) const;
  absl::Status SweepBatch(const std::vector<StorageKey>& storage_keys, CollectionRun* run) const;
  // Returns those of the objects that are still deletable, and makes their intents durable: even a power cut cannot
  // give their bytes back to a blob. None during a pause of deletions.
  absl::StatusOr<std::vector<Deletable>> Confirm(const std::vector<StorageKey>& storage_keys) const;
  absl::Status RemoveIntents(const std::vector<Deletable>& swept, CollectionRun* run) const;

  kv::KvEngine* const kv_;
  BlobStorage* const objects_;
  DeletionPause* const pause_;
  CollectorMetrics* const metrics_;
  CollectionBacklog* const backlog_;
  const RandomBits* const random_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_OBJECT_SWEEP_H_
