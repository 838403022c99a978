#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_KV_UPLOAD_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_KV_UPLOAD_SESSIONS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_reader.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verified_objects.h"
#include "services/blob/sessions/abandoned_sessions.h"
#include "services/blob/sessions/forgotten_sessions.h"
#include "services/blob/sessions/session_endings.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/blob/sessions/staged_uploads.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/content.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// Upload sessions in a KV, their bytes there or, where they are many, in an object store. One process at a time works
// on a KV and its store.
//
// Failpoints, each where the record has just been written: blob.session.{saved,deleted,forgotten,abandoned_forgotten},
// blob.seal.recorded; and blob.seal.published, with the object there and its record not.
class KvUploadSessions : public UploadSessions {
 public:
  struct Options {
    absl::Duration lifetime = absl::Hours(24);
    size_t open_max = 10'000;
    // How sealed objects are written to the KV (BlobStackOptions).
    kv::Durability object_durability = kv::Durability::kSynced;
    // Learns of every file that is sealed; outlives the sessions. May be null.
    VerifiedObjects* verified = nullptr;
  };

  // `reader` finds objects of both tiers. The arguments outlive this.
  KvUploadSessions(const Options& options, kv::KvEngine* kv, ObjectStore* store, ObjectReader* reader,
                   const Clock* clock, BlobMetrics* metrics);

  // Takes over what an earlier run left, and deletes staged bytes that belong to no session. Before anything else.
  absl::Status Recover();

  absl::StatusOr<Upload> Start(const UploadOwner& owner, DigestAlgorithm algorithm) override;
  absl::StatusOr<Upload> Get(const UploadOwner& owner, const UploadId& id) override;
  absl::StatusOr<std::unique_ptr<UploadAppender>> Append(const UploadOwner& owner, const UploadId& id,
                                                         const AppendOptions& options) override;
  absl::StatusOr<SealedUpload> Seal(const UploadOwner& owner, const UploadId& id, const Digest& digest) override;
  absl::Status Cancel(const UploadOwner& owner, const UploadId& id) override;
  absl::Status Forget(const UploadOwner& owner, const UploadId& id) override;

  // Ends at most `limit` open sessions that have expired, with their bytes; tells how many. Of a sealed one only the
  // right to seal it again expires: somebody may have committed its object, so object and record stay, and it is one of
  // the abandoned from then on.
  size_t EndExpired(size_t limit);
  // Deletes the records of forgotten sessions that are still there.
  absl::Status FlushForgotten() { return forgotten_.Flush(); }
  // ObjectAccess::ListAbandoned and ForgetAbandoned.
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit);
  absl::Status ForgetAbandoned(const StorageKey& key);
  // Of each object, in their order, whether a session is there whose object it is or may become.
  absl::StatusOr<std::vector<bool>> Claim(const std::vector<StorageKey>& keys) { return records_.Exist(keys); }
  absl::Duration OldestAge() const { return table_.OldestAge(); }

 private:
  using Record = storage::v1::UploadRecord;

  // The record of a claimed session.
  absl::StatusOr<Record> Load(SessionTable::Claim& claim);
  absl::StatusOr<Record> LoadOpen(SessionTable::Claim& claim);
  // Ends the session where its bytes are lost.
  absl::StatusOr<std::unique_ptr<StagedObject>> OpenStaged(StagedUploads::Accept accept, SessionTable::Claim& claim,
                                                           Record& record);
  bool IsAbandoned(const Record& record) const;
  // As long as the object is there.
  absl::StatusOr<SealedUpload> SealAgain(SessionTable::Claim& claim, const Record& record, const Digest& digest);

  const Options options_;
  const Clock& clock_;
  ObjectStore& store_;
  ObjectReader& reader_;
  SessionTable table_;
  SessionRecords records_;
  StagedUploads uploads_;
  SessionEndings endings_;
  ForgottenSessions forgotten_;
  AbandonedSessions abandoned_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_KV_UPLOAD_SESSIONS_H_
