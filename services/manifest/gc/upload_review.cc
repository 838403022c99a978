#include "services/manifest/gc/upload_review.h"

#include <optional>
#include <utility>
#include <vector>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/content.h"
#include "services/core/failpoint/failpoint.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/blob_record.h"
#include "services/manifest/records/catalog_locks.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;

constexpr size_t kUploadsAPage = 256;

// Returns true if the upload's object became deletable.
absl::StatusOr<bool> ReviewUpload(kv::KvEngine& kv, const Clock& clock, BlobStorage& objects, const Blob& upload) {
  CatalogLocks locks;
  locks.Blob(upload.digest, kv::LockMode::kExclusive);
  locks.Object(upload.storage_key, kv::LockMode::kExclusive);
  bool abandoned = false;
  // The commit is synced, because only its intent leads to the bytes once the blob service has forgotten the upload.
  RETURN_IF_ERROR(kv.Transact(std::move(locks).Take(), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<BlobRecord> record,
                     kv::ReadRecord<BlobRecord>(transaction, keys::Blob(upload.digest)));
    abandoned = !record.has_value() || record->storage_key() != upload.storage_key.ToString();
    return abandoned ? EnsureDeleteIntent(transaction, upload, clock.Now()) : absl::OkStatus();
  }));
  RETURN_IF_ERROR(Failpoint("manifest.collector.abandoned"));
  RETURN_IF_ERROR(objects.ForgetAbandoned(upload.storage_key));
  return abandoned;
}

}  // namespace

absl::Status ReviewUploads(kv::KvEngine& kv, const Clock& clock, BlobStorage& objects, CollectionRun* run) {
  for (;;) {
    ASSIGN_OR_RETURN(const std::vector<Blob> uploads, objects.ListAbandoned(kUploadsAPage));
    bool any_forgotten = false;
    for (const Blob& upload : uploads) {
      const absl::StatusOr<bool> abandoned = ReviewUpload(kv, clock, objects, upload);
      if (abandoned.ok()) {
        any_forgotten = true;
        if (*abandoned) run->report().set_abandoned(run->report().abandoned() + 1);
      } else {
        run->NoteFailure(abandoned.status());
        // If the blob service answers, only this upload is broken.
        RETURN_IF_ERROR(objects.ReadOwner().status());
      }
      if (!run->KeepPace(1, 0)) return absl::OkStatus();
    }
    if (uploads.size() < kUploadsAPage || !any_forgotten) return absl::OkStatus();
  }
}

}  // namespace entrepot::manifest
