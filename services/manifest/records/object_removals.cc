#include "services/manifest/records/object_removals.h"

#include <limits>
#include <optional>

#include "absl/random/random.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::RemovalsRecord;

absl::StatusOr<uint64_t> ReadObjectRemovals(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::optional<RemovalsRecord> record,
                   kv::ReadRecord<RemovalsRecord>(kv, keys::ObjectRemovals()));
  return record.has_value() ? record->version() : 0;
}

absl::Status NoteObjectRemoval(kv::KvTransaction& transaction) {
  absl::BitGen random;
  RemovalsRecord record;
  record.set_version(absl::Uniform<uint64_t>(absl::IntervalClosed, random, 1, std::numeric_limits<uint64_t>::max()));
  kv::WriteRecord(transaction, keys::ObjectRemovals(), record);
  return absl::OkStatus();
}

kv::Lock ObjectRemovalsLock() { return {keys::ObjectRemovals(), kv::LockMode::kExclusive}; }

}  // namespace entrepot::manifest
