#include "services/blob/sessions/shared_upload_sessions.h"

#include <algorithm>
#include <optional>

#include "services/blob/objects/blob_keys.h"
#include "services/blob/sessions/digester_state_record.h"
#include "services/blob/sessions/sealed_record.h"
#include "services/blob/sessions/shared_appender.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/text/lower_hex.h"
#include "services/core/time/proto_time.h"
#include "services/core/time/stopwatch.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

// How often a request that another one has overtaken looks at the session again.
constexpr int kSealTries = 3;
// How many sessions that could make room a request tries to end.
constexpr int kEvictTries = 10;
constexpr size_t kDeleteBatch = 64;

absl::Status NotDue() { return absl::FailedPreconditionError("the session has been used meanwhile"); }

}  // namespace

SharedUploadSessions::SharedUploadSessions(const Options& options, kv::KvEngine* kv, StagingObjectStore* store,
                                           ObjectStore* objects, const Clock* clock, BlobMetrics* metrics)
    : options_(options),
      clock_(*clock),
      store_(*store),
      objects_(*objects),
      metrics_(*metrics),
      reads_(kv, clock, ""),
      records_(kv, clock),
      claims_(&records_, clock, RandomLowerHex(16)),
      census_(options.limits, clock, metrics),
      parts_{.reads = &reads_,
             .records = &records_,
             .claims = &claims_,
             .census = &census_,
             .store = store,
             .clock = clock,
             .metrics = metrics},
      endings_(parts_, options.object_durability) {}

SharedUploadSessions::~SharedUploadSessions() {
  absl::MutexLock lock(&mutex_);
  std::vector<UploadId> ids;
  for (const auto& [at, id] : forgotten_) ids.push_back(id);
  if (!ids.empty()) reads_.Delete(ids).IgnoreError();
}

absl::Status SharedUploadSessions::Recover() {
  metrics_.upload_sessions_max()->Set(static_cast<double>(options_.limits.open_max));
  return Refresh(absl::ZeroDuration());
}

absl::StatusOr<Upload> SharedUploadSessions::Start(const UploadOwner& owner, DigestAlgorithm algorithm) {
  RETURN_IF_ERROR(store_.CheckWritable());
  RETURN_IF_ERROR(store_.CheckSpace());
  const UploadId id = UploadId::Random();
  const absl::Time now = clock_.Now();
  const SessionInfo info{.owner = SessionOwner::Of(owner), .started_at = now, .touched_at = now};
  RETURN_IF_ERROR(Admit(id, info));
  Record record;
  record.set_state(Record::OPEN);
  record.set_repository(info.owner.repository);
  record.set_account(info.owner.account);
  record.set_client(info.owner.client);
  *record.mutable_started_at() = ToTimestamp(now);
  *record.mutable_digester() = ToRecord(Digester(algorithm).Save());
  if (absl::Status status = records_.Create(id, record); !status.ok()) {
    census_.Remove(id);
    return status;
  }
  return Upload{.id = id, .offset_bytes = 0};
}

absl::Status SharedUploadSessions::Admit(const UploadId& id, const SessionInfo& info) {
  SessionCensus::Room room = census_.Add(id, info);
  if (room.status.ok()) return absl::OkStatus();
  // Sessions may have ended at other replicas.
  RETURN_IF_ERROR(Refresh(kFreshEnough));
  for (int i = 0; i < kEvictTries; ++i) {
    room = census_.Add(id, info);
    if (room.status.ok()) return absl::OkStatus();
    if (!room.evictable.has_value()) break;
    RETURN_IF_ERROR(Evict(*room.evictable));
  }
  metrics_.CountRefusedUpload(room.limit);
  return room.status;
}

absl::Status SharedUploadSessions::Evict(const UploadId& id) {
  absl::Status status =
      endings_.End(id, {.result = UploadResult::kEvicted, .by_service = true}, [&](const Record& record) {
        const bool idle = FromTimestamp(record.updated_at()) + options_.limits.EvictableAfter() <= clock_.Now();
        const bool evictable = record.state() == Record::OPEN && record.offset_bytes() == 0 && idle &&
                               record.sealing_digest().empty() && !claims_.IsHeld(record);
        if (!evictable) census_.Set(id, {.info = InfoOf(record), .in_use = claims_.IsHeld(record)});
        return evictable ? absl::OkStatus() : NotDue();
      });
  if (absl::IsNotFound(status)) census_.Remove(id);
  return absl::IsNotFound(status) || absl::IsFailedPrecondition(status) ? absl::OkStatus() : status;
}

absl::StatusOr<Upload> SharedUploadSessions::Get(const UploadOwner& owner, const UploadId& id) {
  ASSIGN_OR_RETURN(const Record record, Load(owner, id));
  if (record.state() != Record::OPEN) return UnknownSession();
  return Upload{.id = id, .offset_bytes = record.offset_bytes(), .whole = record.whole()};
}

absl::StatusOr<std::unique_ptr<UploadAppender>> SharedUploadSessions::Append(const UploadOwner& owner,
                                                                             const UploadId& id,
                                                                             const AppendOptions& options) {
  RETURN_IF_ERROR(store_.CheckWritable());
  ASSIGN_OR_RETURN(const Record stored, Load(owner, id));
  if (stored.state() != Record::OPEN) return UnknownSession();
  RETURN_IF_ERROR(claims_.CheckFree(stored));
  const bool may_be_published = !stored.sealing_digest().empty();
  if (may_be_published) {
    if (!options.last || stored.sealing_unverified()) return UnknownSession();
    ASSIGN_OR_RETURN(const bool published, IsPublished(id));
    if (published) return UnknownSession();
  }
  const bool from_start = options.last && options.offset_bytes.value_or(0) == 0;
  const bool starts_over = from_start && stored.whole();
  const uint64_t end = starts_over ? 0 : stored.offset_bytes();
  RETURN_IF_ERROR(CheckOffset(options, end));
  ASSIGN_OR_RETURN(Digester digester, RestoreDigester(stored.digester()));
  if (starts_over) digester = Digester(digester.algorithm());
  if (end == 0 && options.algorithm.has_value()) digester = Digester(*options.algorithm);

  UploadClaims::Taken taken{.record = stored, .claim = nullptr};
  std::unique_ptr<StagedUpload> staged;
  if (stored.staged_in_file() || may_be_published) {
    ASSIGN_OR_RETURN(taken, Take(id, stored, options.last));
    if (stored.staged_in_file() && !starts_over) {
      ASSIGN_OR_RETURN(staged, OpenStaged(id, taken));
    }
  }
  Record content = taken.record;
  if (starts_over) {
    content.clear_inline_bytes();
    content.set_staged_in_file(false);
  }
  content.set_whole(from_start && end == 0);
  return std::make_unique<SharedAppender>(
      parts_, &endings_, id, taken.record,
      SharedEndings::Content{.record = std::move(content),
                             .digester = std::move(digester),
                             .staged = std::move(staged),
                             .claim = std::move(taken.claim),
                             .replaces_staged = starts_over && stored.staged_in_file()},
      options.last);
}

absl::StatusOr<Blob> SharedUploadSessions::Seal(const UploadOwner& owner, const UploadId& id, const Digest& digest) {
  absl::StatusOr<Blob> sealed = SealOnce(owner, id, digest);
  for (int i = 1; i < kSealTries && sealed.status() == ChangedMeanwhile(); ++i) sealed = SealOnce(owner, id, digest);
  return sealed;
}

absl::StatusOr<Blob> SharedUploadSessions::SealOnce(const UploadOwner& owner, const UploadId& id,
                                                    const Digest& digest) {
  ASSIGN_OR_RETURN(const Record record, Load(owner, id));
  if (record.state() == Record::SEALED) return SealAgain(record, digest);
  if (record.state() == Record::ENDED) {
    if (record.digest() != digest.ToString()) return UnknownSession();
    return OciError(OciErrorCode::kDigestInvalid, "the uploaded bytes had another digest", digest.ToString());
  }
  RETURN_IF_ERROR(claims_.CheckFree(record));
  if (record.staged_in_file() || !record.sealing_digest().empty()) return SealStaged(id, record, digest);
  ASSIGN_OR_RETURN(Digester digester, RestoreDigester(record.digester()));
  return endings_.Seal(id, {.record = record, .digester = std::move(digester), .staged = nullptr, .claim = nullptr},
                       digest);
}

absl::StatusOr<Blob> SharedUploadSessions::SealStaged(const UploadId& id, const Record& record, const Digest& digest) {
  const bool marked = !record.sealing_digest().empty();
  if (marked && record.sealing_digest() != digest.ToString()) return UnknownSession();
  ASSIGN_OR_RETURN(Digester digester, RestoreDigester(record.digester()));
  // The claim also has the mark of SharedEndings, unless the bytes must be hashed first.
  const bool matches = digester.algorithm() == digest.algorithm() && digester.Current() == digest;
  ASSIGN_OR_RETURN(UploadClaims::Taken taken, Take(id, record, /*seals=*/true, matches && !marked ? &digest : nullptr));
  if (marked) {
    absl::StatusOr<Blob> sealed = endings_.SealPublished(id, taken.record, *taken.claim, digest);
    if (sealed.ok()) return sealed;
    if (!absl::IsNotFound(sealed.status())) {
      taken.claim->Release();
      return sealed;
    }
    if (record.sealing_unverified()) {
      // A request that hangs may still publish other bytes of this session, so it cannot go on.
      RETURN_IF_ERROR(endings_.End(id, {.result = UploadResult::kLost, .by_service = true}, [&](const Record& current) {
        return current.version() == taken.record.version() ? absl::OkStatus() : ChangedMeanwhile();
      }));
      return UnknownSession();
    }
  }
  std::unique_ptr<StagedUpload> staged;
  if (taken.record.staged_in_file()) {
    ASSIGN_OR_RETURN(staged, OpenStaged(id, taken));
  }
  return endings_.Seal(id,
                       {.record = std::move(taken.record),
                        .digester = std::move(digester),
                        .staged = std::move(staged),
                        .claim = std::move(taken.claim)},
                       digest);
}

absl::StatusOr<Blob> SharedUploadSessions::SealAgain(const Record& record, const Digest& digest) {
  if (record.digest() != digest.ToString()) return UnknownSession();
  ASSIGN_OR_RETURN(Blob sealed, SealedBlob(record));
  absl::Status found = objects_.Open(sealed.storage_key).status();
  if (!absl::IsNotFound(found)) {
    RETURN_IF_ERROR(found);
    return sealed;
  }
  // The object was committed once and deleted later: as unreferenced, or because the blob had other bytes already.
  // Forget() deletes the record.
  return absl::AlreadyExistsError("the upload has been sealed before");
}

absl::Status SharedUploadSessions::Cancel(const UploadOwner& owner, const UploadId& id) {
  ASSIGN_OR_RETURN(const Record record, Load(owner, id));
  if (record.state() == Record::ENDED) {
    return record.digest().empty() && !record.ended_by_service() ? absl::OkStatus() : UnknownSession();
  }
  return endings_.End(id, {.result = UploadResult::kCancelled}, [&](const Record& current) -> absl::Status {
    if (current.state() != Record::OPEN) return UnknownSession();
    return claims_.CheckFree(current);
  });
}

absl::Status SharedUploadSessions::Forget(const UploadOwner& owner, const UploadId& id) {
  if (!endings_.HasSealed(owner, id)) {
    const absl::StatusOr<Record> record = reads_.Get(id);
    if (absl::IsNotFound(record.status())) return absl::OkStatus();
    RETURN_IF_ERROR(record.status());
    if (record->state() != Record::SEALED || !InfoOf(*record).owner.Is(owner)) return absl::OkStatus();
  }
  absl::MutexLock lock(&mutex_);
  forgotten_.emplace_back(clock_.Now(), id);
  return absl::OkStatus();
}

absl::Status SharedUploadSessions::FlushForgotten() {
  while (true) {
    std::vector<std::pair<absl::Time, UploadId>> due;
    {
      const absl::Time now = clock_.Now();
      absl::MutexLock lock(&mutex_);
      while (!forgotten_.empty() && due.size() < kDeleteBatch &&
             (forgotten_.front().first + kRemembered <= now || forgotten_.size() > kRememberedMax)) {
        due.push_back(std::move(forgotten_.front()));
        forgotten_.pop_front();
      }
    }
    if (due.empty()) return absl::OkStatus();
    std::vector<UploadId> ids;
    for (const auto& [at, id] : due) ids.push_back(id);
    if (absl::Status status = reads_.Delete(ids); !status.ok()) {
      absl::MutexLock lock(&mutex_);
      forgotten_.insert(forgotten_.begin(), due.begin(), due.end());
      return status;
    }
    for (const UploadId& id : ids) census_.Remove(id);
    RETURN_IF_ERROR(Failpoint("blob.session.forgotten"));
  }
}

size_t SharedUploadSessions::EndExpired() {
  absl::Status first_failure = Refresh(kScanInterval);
  size_t ended = 0;
  size_t failed = 0;
  for (const UploadId& id : census_.Due(clock_.Now() - kRemembered)) {
    const absl::StatusOr<bool> result = EndIfDue(id);
    if (result.ok()) {
      ended += *result ? 1 : 0;
    } else {
      ++failed;
      first_failure.Update(result.status());
    }
  }
  if (!first_failure.ok()) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "ended uploads could not be deleted yet", "",
                        {{"uploads", failed}, {"error", first_failure.message()}});
  }
  metrics_.uploads_undeleted()->Set(static_cast<double>(failed));
  DiscardOrphans();
  return ended;
}

absl::StatusOr<bool> SharedUploadSessions::EndIfDue(const UploadId& id) {
  const absl::StatusOr<Record> record = reads_.Get(id);
  if (absl::IsNotFound(record.status())) {
    census_.Remove(id);
    return false;
  }
  RETURN_IF_ERROR(record.status());
  if (record->state() == Record::ENDED) {
    // Another replica may do the same.
    if (record->staged_in_file()) RETURN_IF_ERROR(store_.DiscardStaged(id, record->staging_state()));
    RETURN_IF_ERROR(reads_.Delete({id}));
    census_.Remove(id);
    return false;
  }
  const absl::Status status =
      endings_.End(id, {.result = UploadResult::kExpired, .by_service = true}, [&](const Record& current) {
        return current.state() == Record::OPEN && IsExpired(current) ? absl::OkStatus() : NotDue();
      });
  if (absl::IsNotFound(status)) census_.Remove(id);
  if (absl::IsFailedPrecondition(status)) {
    census_.Set(id, {.info = InfoOf(*record), .in_use = claims_.IsHeld(*record)});
  }
  if (absl::IsNotFound(status) || absl::IsFailedPrecondition(status)) return false;
  RETURN_IF_ERROR(status);
  return true;
}

void SharedUploadSessions::DiscardOrphans() {
  {
    const absl::Time now = clock_.Now();
    absl::MutexLock lock(&mutex_);
    if (orphans_looked_at_ <= now && now - orphans_looked_at_ < kOrphanInterval) return;
    orphans_looked_at_ = now;
  }
  const absl::StatusOr<std::vector<UploadId>> staged = store_.ListStaged();
  if (!staged.ok()) return;
  for (const UploadId& id : *staged) {
    // What cannot be deleted now is found again.
    if (absl::IsNotFound(reads_.Get(id).status())) store_.DiscardStaged(id, "").IgnoreError();
  }
}

absl::StatusOr<std::vector<Blob>> SharedUploadSessions::ListAbandoned(size_t limit) {
  RETURN_IF_ERROR(Refresh(kScanInterval));
  std::vector<Blob> blobs;
  for (const UploadId& id : census_.Abandoned(limit)) {
    const absl::StatusOr<Record> record = reads_.Get(id);
    if (absl::IsNotFound(record.status())) {
      census_.Remove(id);
      continue;
    }
    RETURN_IF_ERROR(record.status());
    ASSIGN_OR_RETURN(Blob sealed, SealedBlob(*record));
    blobs.push_back(std::move(sealed));
  }
  return blobs;
}

absl::Status SharedUploadSessions::ForgetAbandoned(const StorageKey& key) {
  const UploadId id = UploadOf(key);
  const absl::StatusOr<Record> record = reads_.Get(id);
  if (!absl::IsNotFound(record.status())) {
    RETURN_IF_ERROR(record.status());
    if (record->state() != Record::SEALED || !IsExpired(*record)) {
      return absl::FailedPreconditionError("the upload's session has not expired");
    }
    RETURN_IF_ERROR(reads_.Delete({id}));
    RETURN_IF_ERROR(Failpoint("blob.session.abandoned_forgotten"));
  }
  census_.Remove(id);
  return absl::OkStatus();
}

OpenUploadPage SharedUploadSessions::ListOpen(const UploadFilter& filter, absl::string_view start_after, size_t limit) {
  Refresh(kFreshEnough).IgnoreError();
  return census_.List(filter, start_after, limit);
}

UploadTotals SharedUploadSessions::Totals() {
  Refresh(kFreshEnough).IgnoreError();
  return census_.Totals();
}

CancelledUploads SharedUploadSessions::CancelOpen(const UploadFilter& filter) {
  Refresh(absl::ZeroDuration()).IgnoreError();
  CancelledUploads result;
  for (const UploadId& id : census_.Find(filter)) {
    // A request that appends to it gets kNotFound when it saves.
    const absl::Status status =
        endings_.End(id, {.result = UploadResult::kCancelled, .by_service = true}, [&](const Record& record) {
          if (record.state() != Record::OPEN) return UnknownSession();
          return claims_.IsHeld(record) && record.claim().seals() ? NotDue() : absl::OkStatus();
        });
    if (status.ok()) ++result.cancelled;
    if (absl::IsFailedPrecondition(status)) ++result.in_use;
  }
  return result;
}

absl::StatusOr<SharedUploadSessions::Record> SharedUploadSessions::Load(const UploadOwner& owner, const UploadId& id) {
  ASSIGN_OR_RETURN(Record record, reads_.Get(id));
  if (!InfoOf(record).owner.Is(owner) || IsExpired(record)) return UnknownSession();
  return record;
}

bool SharedUploadSessions::IsExpired(const Record& record) const {
  return options_.limits.ExpiryOf(InfoOf(record)) <= clock_.Now() && !claims_.IsHeld(record);
}

absl::StatusOr<bool> SharedUploadSessions::IsPublished(const UploadId& id) {
  absl::Status status = objects_.Open(StagingObjectStore::KeyOf(id)).status();
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  return status.ok();
}

absl::StatusOr<UploadClaims::Taken> SharedUploadSessions::Take(const UploadId& id, const Record& record, bool seals,
                                                               const Digest* sealing_digest) {
  return claims_.Take(id, seals, [&](Record& current) {
    if (current.version() != record.version()) return ChangedMeanwhile();
    if (sealing_digest == nullptr) return absl::OkStatus();
    current.set_sealing_digest(sealing_digest->ToString());
    current.set_sealing_bytes(current.offset_bytes());
    return absl::OkStatus();
  });
}

absl::StatusOr<std::unique_ptr<StagedUpload>> SharedUploadSessions::OpenStaged(const UploadId& id,
                                                                               const UploadClaims::Taken& taken) {
  absl::StatusOr<std::unique_ptr<StagedUpload>> staged =
      store_.OpenStaged(id, taken.record.offset_bytes(), taken.record.staging_state());
  if (absl::IsNotFound(staged.status())) {
    const absl::Status status =
        endings_.End(id, {.result = UploadResult::kLost, .by_service = true}, [&](const Record& current) {
          return current.version() == taken.record.version() ? absl::OkStatus() : ChangedMeanwhile();
        });
    if (status.ok()) return UnknownSession();
  }
  if (!staged.ok()) {
    taken.claim->Release();
    return staged;
  }
  const SessionOwner owner = InfoOf(taken.record).owner;
  (*staged)->SetOwner(owner.Share(), /*spares_memory=*/owner.is_fetch());
  return staged;
}

absl::Status SharedUploadSessions::Refresh(absl::Duration age_max) {
  absl::MutexLock lock(&scan_mutex_);
  const absl::Duration age = clock_.Now() - census_.scanned_at();
  const bool may_skip = age_max > absl::ZeroDuration() && age >= absl::ZeroDuration();
  if (may_skip && age < std::max(age_max, kScanShare * scan_took_)) return absl::OkStatus();
  const Stopwatch stopwatch;
  SessionCensus::Sessions found;
  census_.BeginScan();
  RETURN_IF_ERROR(reads_.ForEach([&](const UploadId& id, const Record& record) {
    found.insert_or_assign(id, SessionCensus::Session{.info = InfoOf(record), .in_use = claims_.IsHeld(record)});
  }));
  census_.EndScan(std::move(found));
  scan_took_ = stopwatch.Elapsed();
  return absl::OkStatus();
}

}  // namespace entrepot::blob
