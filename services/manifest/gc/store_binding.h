#ifndef ENTREPOT_SERVICES_MANIFEST_GC_STORE_BINDING_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_STORE_BINDING_H_

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/core/blob_storage.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Whether the blob service's objects are those that the records name. If an empty or an older database stood beside the
// objects, for example because a volume is not mounted, all newer objects would look like orphans.
//
// Both have the id of the catalog and a generation: the record g/store, and the owner of the store. Advance() raises
// the generation, first in the record and then in the store, each durably. So the store's generation is that of the
// record, or one less if a process died in between. A higher one shows that the record is an older copy, a much lower
// one that the objects are. Every copy that is older than the last Advance() is noticed. A backup does not contain the
// owner of the store; a restored store gets the one of the records with which it starts. New records are bound to a
// store without an owner only if each of its objects belongs to an upload session, and so to no blob. Thread-safe; any
// number of processes may share the records.
class StoreBinding {
 public:
  // All must outlive the StoreBinding; `registry` may be null. Exports entrepot_gc_store_mismatch.
  StoreBinding(kv::KvEngine* kv, BlobStorage* objects, const std::shared_ptr<prometheus::Registry>& registry);

  // OK if they belong together; binds them if they are not bound yet and can be written. kFailedPrecondition with what
  // to do if they do not: then nothing may be collected, quarantined, or marked as corrupt. Any other code: it is not
  // known, for example because the blob service cannot be reached.
  absl::Status Check();
  // Check(), then raises the generation.
  absl::Status Advance();
  // Binds the records and the objects as they are, on an operator's word.
  absl::Status Accept();

 private:
  struct Sides {
    StoreOwner records;
    StoreOwner store;
  };

  absl::StatusOr<Sides> Compare();
  // Compares the record with what the store had.
  absl::StatusOr<Sides> CompareWith(const StoreOwner& store);
  // Of records or a store without the id.
  absl::StatusOr<Sides> Bind(const StoreOwner& records, const StoreOwner& store);
  // Writes the owner that the record has now. `owner`: what it had a moment ago.
  absl::Status WriteOwner(StoreOwner owner);
  absl::StatusOr<StoreOwner> ReadRecord();
  // Sets the record if it is still `before`. Returns the record afterwards.
  absl::StatusOr<StoreOwner> ReplaceRecord(const StoreOwner& before, const StoreOwner& after);

  kv::KvEngine& kv_;
  BlobStorage& objects_;
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Gauge& mismatch_;
  std::atomic<bool> logged_ = false;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_STORE_BINDING_H_
