#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_ENDINGS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_ENDINGS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verification_cache.h"
#include "services/blob/sessions/ended_sessions.h"
#include "services/blob/sessions/sealed_record.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/blob/sessions/staging_area.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/digester.h"
#include "services/core/upload.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// Ends sessions: seals them as an object, or deletes them with their bytes. Thread-safe; the caller has claimed the
// session.
class SessionEndings {
 public:
  // `object_durability` as in BlobStackOptions. The arguments outlive this. `verified` records every sealed file; it
  // may be null.
  SessionEndings(kv::Durability object_durability, StagingObjectStore* store, SessionRecords* records,
                 StagingArea* uploads, RecentEndings* recent, VerificationCache* verified, BlobMetrics* metrics)
      : object_durability_(object_durability),
        store_(*store),
        records_(*records),
        uploads_(*uploads),
        recent_(*recent),
        verified_(verified),
        metrics_(*metrics) {}

  // `record` is the record to be saved if the session continued; `digester` has hashed all bytes; `staged` contains
  // them, or is null if the record does. If the digest is not `digest`, the session is deleted (kInvalidArgument,
  // DIGEST_INVALID). After any other error it is still open.
  absl::StatusOr<Blob> Seal(SessionTable::Claim& claim, storage::v1::UploadRecord record, const Digester& digester,
                            std::unique_ptr<StagedUpload> staged, const Digest& digest);
  // Ends the session for its owner, then deletes its record and its bytes. After an error both are left to
  // SessionTable::ClaimDue(), and an open session counts as ended with `result`.
  absl::Status Delete(SessionTable::Claim& claim, UploadResult result);
  // The same for a caller that has something else to answer: logs an error.
  void DeleteOrLog(SessionTable::Claim& claim, UploadResult result);

 private:
  absl::Status CheckDigest(SessionTable::Claim& claim, const Digest& found, const Digest& wanted);
  absl::Status SealInRecord(SessionTable::Claim& claim, storage::v1::UploadRecord& record, const Digest& digest);
  absl::Status SealStaged(SessionTable::Claim& claim, storage::v1::UploadRecord& record,
                          std::unique_ptr<StagedUpload> staged, const Digest& digest);
  void RecordVerified(const StorageKey& key, const Digest& digest);

  const kv::Durability object_durability_;
  StagingObjectStore& store_;
  SessionRecords& records_;
  StagingArea& uploads_;
  RecentEndings& recent_;
  VerificationCache* const verified_;
  BlobMetrics& metrics_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SESSION_ENDINGS_H_
