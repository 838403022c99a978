#include "services/blob/objects/tiered_object_reader.h"

#include "services/status/status_macros.h"

namespace entrepot::blob {

ObjectReader& TieredObjectReader::TierOf(const StorageKey& key) {
  return key.tier() == StorageTier::kFile ? files_ : values_;
}

absl::StatusOr<OpenObject> TieredObjectReader::Open(const StorageKey& key) { return TierOf(key).Open(key); }

absl::Status TieredObjectReader::Delete(const StorageKey& key) {
  RETURN_IF_ERROR(gate_.Check());
  return TierOf(key).Delete(key);
}

}  // namespace entrepot::blob
