#ifndef ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_UPLOAD_SESSIONS_H_
#define ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_UPLOAD_SESSIONS_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/sessions/managed_upload_sessions.h"
#include "services/blob/sessions/session_census.h"
#include "services/blob/sessions/session_info.h"
#include "services/blob/sessions/session_records.h"
#include "services/blob/sessions/shared_endings.h"
#include "services/blob/sessions/upload_claims.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/blob/sessions/versioned_records.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::blob {

// Upload sessions that any replica goes on with: their records are in a KV that all replicas use, and their staged
// bytes in a store that all replicas use (StagingObjectStore::shared()). Each request reads the record, and writes it
// only if no other request has written it meanwhile (versioned_records.h, upload_claims.h). Memory only has what may be
// late: a census for the bounds and for expiry (session_census.h).
//
// A sealed session's record stays for kRemembered after Forget(), so that a client that repeats its request at another
// replica gets the same result. So does the record of a session that its owner ended.
//
// Failpoints: those of KvUploadSessions.
class SharedUploadSessions : public ManagedUploadSessions {
 public:
  struct Options {
    SessionLimits limits;
    kv::Durability object_durability = kv::Durability::kSynced;
  };

  // How old the census may be for expiry and for metrics, and for a decision that somebody waits for.
  static constexpr absl::Duration kScanInterval = absl::Seconds(15);
  static constexpr absl::Duration kFreshEnough = absl::Seconds(1);
  // Scans take at most this share of the time.
  static constexpr int kScanShare = 20;
  // How long, and how many sealed sessions of a process, are remembered.
  static constexpr absl::Duration kRemembered = absl::Minutes(1);
  static constexpr size_t kRememberedMax = 10'000;
  // How often staged bytes without a session are looked for.
  static constexpr absl::Duration kOrphanInterval = absl::Hours(1);

  // `objects` has the objects of both tiers. The arguments outlive this.
  SharedUploadSessions(const Options& options, kv::KvEngine* kv, StagingObjectStore* store, ObjectStore* objects,
                       const Clock* clock, BlobMetrics* metrics);
  ~SharedUploadSessions() override;

  absl::StatusOr<Upload> Start(const UploadOwner& owner, DigestAlgorithm algorithm) override;
  absl::StatusOr<Upload> Get(const UploadOwner& owner, const UploadId& id) override;
  absl::StatusOr<std::unique_ptr<UploadAppender>> Append(const UploadOwner& owner, const UploadId& id,
                                                         const AppendOptions& options) override;
  absl::StatusOr<Blob> Seal(const UploadOwner& owner, const UploadId& id, const Digest& digest) override;
  absl::Status Cancel(const UploadOwner& owner, const UploadId& id) override;
  absl::Status Forget(const UploadOwner& owner, const UploadId& id) override;
  bool MustReadBack(const UploadId&) const override { return false; }

  absl::Status Recover() override;
  size_t EndExpired() override;
  absl::Status FlushForgotten() override;
  void RenewClaims() override { claims_.Renew(); }
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override;
  absl::Status ForgetAbandoned(const StorageKey& key) override;
  absl::StatusOr<std::vector<bool>> Claim(const std::vector<StorageKey>& keys) override { return reads_.Exist(keys); }
  OpenUploadPage ListOpen(const UploadFilter& filter, absl::string_view start_after, size_t limit) override;
  CancelledUploads CancelOpen(const UploadFilter& filter) override;
  UploadTotals Totals() override;
  absl::Duration OldestAge() override { return census_.OldestAge(); }

 private:
  using Record = storage::v1::UploadRecord;

  // The record of a session that this owner has. kNotFound (BLOB_UPLOAD_UNKNOWN) if it has none, or it has expired.
  absl::StatusOr<Record> Load(const UploadOwner& owner, const UploadId& id);
  bool IsExpired(const Record& record) const;
  // Whether an earlier request may have published the session's object; kUnavailable while that is not known.
  absl::StatusOr<bool> IsPublished(const UploadId& id);
  // The session's claim, if `record` still is its record.
  absl::StatusOr<UploadClaims::Taken> Take(const UploadId& id, const Record& record, bool seals,
                                           const Digest* sealing_digest = nullptr);
  // Ends the session if its bytes are lost.
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenStaged(const UploadId& id, const UploadClaims::Taken& taken);
  absl::StatusOr<Blob> SealOnce(const UploadOwner& owner, const UploadId& id, const Digest& digest);
  absl::StatusOr<Blob> SealStaged(const UploadId& id, const Record& record, const Digest& digest);
  absl::StatusOr<Blob> SealAgain(const Record& record, const Digest& digest);
  // Makes room for a session and counts it.
  absl::Status Admit(const UploadId& id, const SessionInfo& info);
  absl::Status Evict(const UploadId& id);
  // Whether this call has ended the session.
  absl::StatusOr<bool> EndIfDue(const UploadId& id);
  // Scans the records unless `age_max` is positive and the census is younger.
  absl::Status Refresh(absl::Duration age_max);
  void DiscardOrphans();

  const Options options_;
  const Clock& clock_;
  StagingObjectStore& store_;
  ObjectStore& objects_;
  BlobMetrics& metrics_;
  SessionRecords reads_;
  VersionedRecords records_;
  UploadClaims claims_;
  SessionCensus census_;
  const SharedParts parts_;
  SharedEndings endings_;

  absl::Mutex scan_mutex_;
  absl::Duration scan_took_ ABSL_GUARDED_BY(scan_mutex_) = absl::ZeroDuration();

  absl::Mutex mutex_;
  // In the order of the times at which they were forgotten.
  std::deque<std::pair<absl::Time, UploadId>> forgotten_ ABSL_GUARDED_BY(mutex_);
  absl::Time orphans_looked_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_SESSIONS_SHARED_UPLOAD_SESSIONS_H_
