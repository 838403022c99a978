#include "services/manifest/records/object_removals.h"

#include <optional>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::RemovalsRecord;

absl::StatusOr<uint64_t> ReadObjectRemovals(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::optional<RemovalsRecord> record,
                   kv::ReadRecord<RemovalsRecord>(kv, keys::ObjectRemovals()));
  return record.has_value() ? record->count() : 0;
}

absl::Status CountObjectRemoval(kv::KvTransaction& transaction) {
  ASSIGN_OR_RETURN(const uint64_t count, ReadObjectRemovals(transaction));
  RemovalsRecord record;
  record.set_count(count + 1);
  kv::WriteRecord(transaction, keys::ObjectRemovals(), record);
  return absl::OkStatus();
}

kv::Lock ObjectRemovalsLock() { return {keys::ObjectRemovals(), kv::LockMode::kExclusive}; }

}  // namespace entrepot::manifest
