#include "services/manifest/gc/upload_reap.h"

#include <optional>
#include <utility>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/failpoint/failpoint.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/delete_intent.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::BlobRecord;

absl::StatusOr<bool> ReapUpload(kv::KvEngine& kv, const Clock& clock, ObjectAccess& objects, const Blob& upload) {
  CatalogLocks locks;
  locks.Blob(upload.digest, kv::LockMode::kExclusive);
  locks.Object(upload.storage_key, kv::LockMode::kExclusive);
  bool abandoned = false;
  // Synced: once the blob service has forgotten the upload nothing else leads to its bytes.
  RETURN_IF_ERROR(kv.Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> record,
                     ReadRecord<BlobRecord>(transaction, keys::Blob(upload.digest)));
    abandoned = !record.has_value() || record->storage_key() != upload.storage_key.ToString();
    return abandoned ? EnsureDeleteIntent(transaction, upload, clock.Now()) : absl::OkStatus();
  }));
  RETURN_IF_ERROR(Failpoint("manifest.collector.abandoned"));
  RETURN_IF_ERROR(objects.ForgetAbandoned(upload.storage_key));
  return abandoned;
}

}  // namespace entrepot::manifest
