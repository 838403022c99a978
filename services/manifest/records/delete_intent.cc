#include "services/manifest/records/delete_intent.h"

#include <optional>
#include <string>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::DeleteIntentRecord;

absl::Status EnsureDeleteIntent(kv::KvTransaction& transaction, const Blob& blob, absl::Time now) {
  const std::string key = keys::DeleteIntent(blob.storage_key);
  ASSIGN_OR_RETURN(const std::optional<DeleteIntentRecord> before, ReadRecord<DeleteIntentRecord>(transaction, key));
  if (before.has_value() && !before->suspect()) return absl::OkStatus();
  DeleteIntentRecord intent;
  intent.set_digest(blob.digest.ToString());
  intent.set_size_bytes(blob.size_bytes);
  *intent.mutable_created_at() = ToTimestamp(now);
  WriteRecord(transaction, key, intent);
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
