#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_KV_UPLOAD_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_KV_UPLOAD_SESSIONS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verification_cache.h"
#include "services/blob/sessions/ended_sessions.h"
#include "services/blob/sessions/managed_upload_sessions.h"
#include "services/blob/sessions/session_endings.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/session_table.h"
#include "services/blob/sessions/staging_area.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/content.h"
#include "services/core/open_uploads.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// Upload sessions in a KV. Their bytes are in the KV too, or in an object store if there are many. One process at a
// time uses the sessions and their store.
//
// Failpoints: blob.session.{saved,deleted,forgotten,abandoned_forgotten} and blob.seal.recorded, each right after the
// record was written; and blob.seal.published, when the object exists and its record is not written yet.
class KvUploadSessions : public ManagedUploadSessions {
 public:
  struct Options {
    SessionTable::Limits limits;
    // How sealed objects are written to the KV (BlobStackOptions).
    kv::Durability object_durability = kv::Durability::kSynced;
    // Records every sealed file; outlives the sessions. May be null.
    VerificationCache* verified = nullptr;
  };

  // `objects` has the objects of both tiers. The arguments outlive this.
  KvUploadSessions(const Options& options, kv::KvEngine* kv, StagingObjectStore* store, ObjectStore* objects,
                   const Clock* clock, BlobMetrics* metrics);

  absl::StatusOr<Upload> Start(const UploadOwner& owner, DigestAlgorithm algorithm) override;
  absl::StatusOr<Upload> Get(const UploadOwner& owner, const UploadId& id) override;
  absl::StatusOr<std::unique_ptr<UploadAppender>> Append(const UploadOwner& owner, const UploadId& id,
                                                         const AppendOptions& options) override;
  absl::StatusOr<Blob> Seal(const UploadOwner& owner, const UploadId& id, const Digest& digest) override;
  absl::Status Cancel(const UploadOwner& owner, const UploadId& id) override;
  absl::Status Forget(const UploadOwner& owner, const UploadId& id) override;
  bool MustReadBack(const UploadId& id) const override { return !table_.IsTrusted(id); }

  absl::Status Recover() override;
  size_t EndExpired() override;
  absl::Status FlushForgotten() override { return forgotten_.Flush(); }
  // No other process works on the sessions.
  void RenewClaims() override {}
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override;
  absl::Status ForgetAbandoned(const StorageKey& key) override;
  absl::StatusOr<std::vector<bool>> Claim(const std::vector<StorageKey>& keys) override { return records_.Exist(keys); }
  OpenUploadPage ListOpen(const UploadFilter& filter, absl::string_view start_after, size_t limit) override {
    return table_.List(filter, start_after, limit);
  }
  CancelledUploads CancelOpen(const UploadFilter& filter) override;
  UploadTotals Totals() override { return table_.Totals(); }
  absl::Duration OldestAge() override { return table_.OldestAge(); }

 private:
  using Record = storage::v1::UploadRecord;

  // Reads the record of a claimed session.
  absl::StatusOr<Record> Load(SessionTable::Claim& claim);
  absl::StatusOr<Record> LoadOpen(SessionTable::Claim& claim);
  // Deletes the session if its bytes are lost.
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenStaged(StagingArea::Accept accept, SessionTable::Claim& claim,
                                                           Record& record);
  // Drops the bytes of an interrupted append of the whole blob, which the client sends again. kNotFound
  // (BLOB_UPLOAD_UNKNOWN) if they are an object already: Seal() completes the session.
  absl::Status StartOver(SessionTable::Claim& claim, Record& record);
  bool IsAbandoned(const Record& record) const;
  // The answer to a seal of a session that does not exist any more.
  absl::Status EndedSeal(const UploadOwner& owner, const UploadId& id, const Digest& digest);
  // kAlreadyExists if the object no longer exists.
  absl::StatusOr<Blob> SealAgain(SessionTable::Claim& claim, const Record& record, const Digest& digest);

  const Options options_;
  const Clock& clock_;
  StagingObjectStore& store_;
  ObjectStore& objects_;
  SessionTable table_;
  SessionRecords records_;
  StagingArea uploads_;
  RecentEndings recent_;
  SessionEndings endings_;
  BlobMetrics& metrics_;
  ForgottenSessions forgotten_;
  AbandonedSessions abandoned_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_KV_UPLOAD_SESSIONS_H_
