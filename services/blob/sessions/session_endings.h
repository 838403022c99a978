#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_ENDINGS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_ENDINGS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verified_objects.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/blob/sessions/staged_uploads.h"
#include "services/core/digest.h"
#include "services/core/digester.h"
#include "services/core/upload.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// How sessions end: as an object, or deleted with their bytes. Thread-safe; each session is claimed by its caller.
class SessionEndings {
 public:
  // `object_durability` as in BlobStackOptions. The arguments outlive this; `verified`, which learns of every file that
  // is sealed, may be null.
  SessionEndings(kv::Durability object_durability, ObjectStore* store, SessionRecords* records, StagedUploads* uploads,
                 VerifiedObjects* verified, BlobMetrics* metrics)
      : object_durability_(object_durability),
        store_(*store),
        records_(*records),
        uploads_(*uploads),
        verified_(verified),
        metrics_(*metrics) {}

  // `record` as it should be saved, were the session to go on; `digester` has taken in all its bytes; `staged` holds
  // them, or is null where the record does. Another digest than `digest` deletes the session (kInvalidArgument,
  // DIGEST_INVALID); after any other error it is still open.
  absl::StatusOr<SealedUpload> Seal(SessionTable::Claim& claim, storage::v1::UploadRecord record,
                                    const Digester& digester, std::unique_ptr<StagedObject> staged,
                                    const Digest& digest);
  absl::Status Delete(SessionTable::Claim& claim, UploadResult result);

 private:
  absl::Status CheckDigest(SessionTable::Claim& claim, const Digest& found, const Digest& wanted);
  absl::Status SealInRecord(SessionTable::Claim& claim, storage::v1::UploadRecord& record, const Digest& digest);
  absl::Status SealStaged(SessionTable::Claim& claim, storage::v1::UploadRecord& record,
                          std::unique_ptr<StagedObject> staged, const Digest& digest);
  void EnterVerified(const StorageKey& key, const Digest& digest);

  const kv::Durability object_durability_;
  ObjectStore& store_;
  SessionRecords& records_;
  StagedUploads& uploads_;
  VerifiedObjects* const verified_;
  BlobMetrics& metrics_;
};

// What a sealed session's record says.
absl::StatusOr<SealedUpload> ToSealedUpload(const storage::v1::UploadRecord& record);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_ENDINGS_H_
