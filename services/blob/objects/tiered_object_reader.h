#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_TIERED_OBJECT_READER_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_TIERED_OBJECT_READER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/object_reader.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// Asks the tier that the key names. Deletes are kUnavailable while the store is read-only: a disk that failed a sync
// cannot promise them either, and what is deleted cannot be had back. Thread-safe.
class TieredObjectReader : public ObjectReader {
 public:
  // All outlive this.
  TieredObjectReader(ObjectReader* files, ObjectReader* values, const WriteGate* gate)
      : files_(*files), values_(*values), gate_(*gate) {}

  absl::StatusOr<OpenObject> Open(const StorageKey& key) override;
  absl::Status Delete(const StorageKey& key) override;

 private:
  ObjectReader& TierOf(const StorageKey& key);

  ObjectReader& files_;
  ObjectReader& values_;
  const WriteGate& gate_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_TIERED_OBJECT_READER_H_
