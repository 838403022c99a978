#include "services/blob/sessions/kv_upload_sessions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "services/blob/objects/blob_keys.h"
#include "services/blob/sessions/digester_state_record.h"
#include "services/blob/sessions/session_appender.h"
#include "services/core/content.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/text/lower_hex.h"
#include "services/core/time/proto_time.h"
#include "services/runtime/log/json_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

KvUploadSessions::KvUploadSessions(const Options& options, kv::KvEngine* kv, StagingObjectStore* store,
                                   ObjectStore* objects, const Clock* clock, BlobMetrics* metrics)
    : options_(options),
      clock_(*clock),
      store_(*store),
      objects_(*objects),
      table_(options.limits, clock, metrics),
      records_(kv, clock, RandomLowerHex(16)),
      uploads_(store, &records_),
      endings_(options.object_durability, store, &records_, &uploads_, &recent_, options.verified, metrics),
      metrics_(*metrics),
      forgotten_(&records_) {}

absl::Status KvUploadSessions::Recover() {
  metrics_.upload_sessions_max()->Set(static_cast<double>(options_.limits.open_max));
  absl::flat_hash_set<std::string> staged;
  std::vector<std::pair<UploadId, SessionInfo>> sessions;
  RETURN_IF_ERROR(records_.ForEach([&](const UploadId& id, const Record& record) {
    SessionInfo info = InfoOf(record);
    info.trusted = !record.staged_in_file();
    if (record.staged_in_file() && info.state == SessionState::kOpen) staged.insert(id.ToString());
    if (IsAbandoned(record)) return abandoned_.Add(id);
    sessions.emplace_back(id, std::move(info));
  }));
  ASSIGN_OR_RETURN(const std::vector<UploadId> found, store_.ListStaged());
  for (const UploadId& id : found) {
    // Without a session. If they cannot be deleted now, EndExpired() tries again.
    if (staged.contains(id.ToString()) || store_.DiscardStaged(id, "").ok()) continue;
    SessionInfo ending;
    ending.state = SessionState::kEnding;
    sessions.emplace_back(id, std::move(ending));
  }
  std::sort(sessions.begin(), sessions.end(),
            [](const auto& a, const auto& b) { return a.second.touched_at < b.second.touched_at; });
  for (auto& [id, info] : sessions) table_.Restore(id, std::move(info));
  return absl::OkStatus();
}

absl::StatusOr<Upload> KvUploadSessions::Start(const UploadOwner& owner, DigestAlgorithm algorithm) {
  RETURN_IF_ERROR(store_.CheckWritable());
  RETURN_IF_ERROR(store_.CheckSpace());
  const UploadId id = UploadId::Random();
  ASSIGN_OR_RETURN(SessionTable::Added added, table_.Add(id, owner));
  for (SessionTable::Claim& evicted : added.evicted) {
    metrics_.CountUpload(UploadResult::kEvicted);
    endings_.DeleteOrLog(evicted, UploadResult::kEvicted);
  }
  SessionTable::Claim& claim = added.session;
  Record record;
  record.set_state(Record::OPEN);
  record.set_repository(claim.info().owner.repository);
  record.set_account(claim.info().owner.account);
  record.set_client(claim.info().owner.client);
  *record.mutable_started_at() = ToTimestamp(claim.info().started_at);
  *record.mutable_digester() = ToRecord(Digester(algorithm).Save());
  if (absl::Status status = records_.Put(id, record); !status.ok()) {
    claim.Remove();
    return status;
  }
  return Upload{.id = id, .offset_bytes = 0};
}

absl::StatusOr<Upload> KvUploadSessions::Get(const UploadOwner& owner, const UploadId& id) {
  ASSIGN_OR_RETURN(const SessionInfo info, table_.Find(id, owner));
  if (info.state != SessionState::kOpen) return UnknownSession();
  if (!info.trusted) {
    ASSIGN_OR_RETURN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kVerify, id, owner));
    ASSIGN_OR_RETURN(Record record, LoadOpen(claim));
    ASSIGN_OR_RETURN(std::unique_ptr<StagedUpload> staged, OpenStaged(StagingArea::Accept::kStaged, claim, record));
    uploads_.Park(id, std::move(staged));
  }
  return Upload{.id = id, .offset_bytes = info.offset_bytes, .whole = info.whole};
}

absl::StatusOr<std::unique_ptr<UploadAppender>> KvUploadSessions::Append(const UploadOwner& owner, const UploadId& id,
                                                                         const AppendOptions& options) {
  RETURN_IF_ERROR(store_.CheckWritable());
  ASSIGN_OR_RETURN(SessionTable::Claim claim,
                   table_.ClaimFor(options.last ? SessionUse::kSeal : SessionUse::kAppend, id, owner));
  ASSIGN_OR_RETURN(Record record, LoadOpen(claim));
  const bool from_start = options.last && options.offset_bytes.value_or(0) == 0;
  if (from_start && record.whole()) RETURN_IF_ERROR(StartOver(claim, record));
  const uint64_t end = record.offset_bytes();
  RETURN_IF_ERROR(CheckOffset(options, end));
  ASSIGN_OR_RETURN(Digester digester, RestoreDigester(record.digester()));
  if (end == 0 && options.algorithm.has_value()) digester = Digester(*options.algorithm);
  record.set_whole(from_start && end == 0);
  claim.SetWhole(record.whole());
  std::unique_ptr<StagedUpload> staged;
  if (record.staged_in_file()) {
    ASSIGN_OR_RETURN(staged, OpenStaged(StagingArea::Accept::kStaged, claim, record));
  }
  SessionContent upload(id, record, std::move(digester), std::move(staged), &uploads_);
  return std::make_unique<SessionAppender>(std::move(claim), record, std::move(upload), &records_, &uploads_,
                                           &endings_);
}

absl::Status KvUploadSessions::StartOver(SessionTable::Claim& claim, Record& record) {
  if (record.staged_in_file()) {
    // The object is there if an earlier seal published it and was killed. It may be a blob already.
    absl::Status published = objects_.Open(StagingObjectStore::KeyOf(claim.id())).status();
    if (!absl::IsNotFound(published)) return published.ok() ? UnknownSession() : published;
  }
  ASSIGN_OR_RETURN(const Digester digester, RestoreDigester(record.digester()));
  *record.mutable_digester() = ToRecord(Digester(digester.algorithm()).Save());
  record.set_offset_bytes(0);
  record.clear_inline_bytes();
  // Before the staged bytes go: the record never states more bytes than there are.
  RETURN_IF_ERROR(records_.Put(claim.id(), record));
  claim.Update(SessionState::kOpen, 0, /*trusted=*/true);
  return absl::OkStatus();
}

absl::StatusOr<Blob> KvUploadSessions::Seal(const UploadOwner& owner, const UploadId& id, const Digest& digest) {
  absl::StatusOr<SessionTable::Claim> claimed = table_.ClaimFor(SessionUse::kSeal, id, owner);
  if (absl::IsNotFound(claimed.status())) return EndedSeal(owner, id, digest);
  RETURN_IF_ERROR(claimed.status());
  SessionTable::Claim& claim = *claimed;
  ASSIGN_OR_RETURN(Record record, Load(claim));
  if (record.state() == Record::SEALED) return SealAgain(claim, record, digest);
  ASSIGN_OR_RETURN(const Digester digester, RestoreDigester(record.digester()));
  std::unique_ptr<StagedUpload> staged;
  if (record.staged_in_file()) {
    ASSIGN_OR_RETURN(staged, OpenStaged(StagingArea::Accept::kStagedOrPublished, claim, record));
  }
  return endings_.Seal(claim, std::move(record), digester, std::move(staged), digest);
}

absl::Status KvUploadSessions::EndedSeal(const UploadOwner& owner, const UploadId& id, const Digest& digest) {
  const std::optional<RecentEndings::Kind> ending = recent_.Find(id, owner, digest.ToString());
  if (ending == RecentEndings::Kind::kSealed) return absl::AlreadyExistsError("the upload has been sealed before");
  if (ending == RecentEndings::Kind::kWrongDigest) {
    return OciError(OciErrorCode::kDigestInvalid, "the uploaded bytes had another digest", digest.ToString());
  }
  return UnknownSession();
}

absl::StatusOr<Blob> KvUploadSessions::SealAgain(SessionTable::Claim& claim, const Record& record,
                                                 const Digest& digest) {
  if (record.digest() != digest.ToString()) return UnknownSession();
  // An earlier run of the service may have sealed it.
  recent_.Add(claim.id(), claim.info().owner, RecentEndings::Kind::kSealed, record.digest());
  ASSIGN_OR_RETURN(Blob sealed, SealedBlob(record));
  absl::Status found = objects_.Open(sealed.storage_key).status();
  if (!absl::IsNotFound(found)) {
    RETURN_IF_ERROR(found);
    return sealed;
  }
  // The object was committed once and deleted later: as unreferenced, or because the blob had other bytes already.
  RETURN_IF_ERROR(records_.Delete({claim.id()}));
  claim.Remove();
  return absl::AlreadyExistsError("the upload has been sealed before");
}

absl::Status KvUploadSessions::Cancel(const UploadOwner& owner, const UploadId& id) {
  absl::StatusOr<SessionTable::Claim> claim = table_.ClaimFor(SessionUse::kEnd, id, owner);
  if (absl::IsNotFound(claim.status()) && recent_.Find(id, owner) == RecentEndings::Kind::kCancelled) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(claim.status());
  if (claim->info().state == SessionState::kSealed) return UnknownSession();
  const SessionOwner recorded = claim->info().owner;
  RETURN_IF_ERROR(endings_.Delete(*claim, UploadResult::kCancelled));
  recent_.Add(id, recorded, RecentEndings::Kind::kCancelled);
  return absl::OkStatus();
}

absl::Status KvUploadSessions::Forget(const UploadOwner& owner, const UploadId& id) {
  if (!table_.RemoveSealed(id, owner)) {
    if (table_.Contains(id)) return absl::OkStatus();
    // A sealed session that has expired.
    absl::StatusOr<Record> record = records_.Get(id);
    if (absl::IsNotFound(record.status())) return absl::OkStatus();
    RETURN_IF_ERROR(record.status());
    if (record->state() != Record::SEALED || !InfoOf(*record).owner.Is(owner)) return absl::OkStatus();
  }
  forgotten_.Add(id);
  return absl::OkStatus();
}

size_t KvUploadSessions::EndExpired() {
  SessionTable::Due due = table_.ClaimDue();
  for (const UploadId& id : due.sealed) abandoned_.Add(id);
  size_t failed = 0;
  absl::Status first_failure;
  for (SessionTable::Claim& claim : due.deletable) {
    absl::Status status = endings_.Delete(claim, UploadResult::kExpired);
    if (status.ok()) continue;
    ++failed;
    first_failure.Update(status);
  }
  if (failed > 0) {
    runtime::Log(runtime::LogLevel::kWarning, "ended uploads could not be deleted yet",
                 {{"uploads", failed}, {"error", first_failure.message()}});
  }
  metrics_.uploads_undeleted()->Set(static_cast<double>(failed));
  return due.deletable.size() - failed;
}

CancelledUploads KvUploadSessions::CancelOpen(const UploadFilter& filter) {
  SessionTable::Selected selected = table_.ClaimMatching(filter);
  for (SessionTable::Claim& claim : selected.idle) endings_.DeleteOrLog(claim, UploadResult::kCancelled);
  return {.cancelled = selected.idle.size(), .in_use = selected.in_use};
}

bool KvUploadSessions::IsAbandoned(const Record& record) const {
  return record.state() == Record::SEALED && options_.limits.ExpiryOf(InfoOf(record)) <= clock_.Now();
}

absl::StatusOr<std::vector<Blob>> KvUploadSessions::ListAbandoned(size_t limit) {
  if (abandoned_.TakeRefill()) {
    RETURN_IF_ERROR(records_.ForEach([&](const UploadId& id, const Record& record) {
      if (IsAbandoned(record) && !table_.Contains(id)) abandoned_.Add(id);
    }));
  }
  std::vector<Blob> blobs;
  for (const UploadId& id : abandoned_.First(limit)) {
    const absl::StatusOr<Record> record = records_.Get(id);
    if (absl::IsNotFound(record.status())) {
      // Its client came back late and called Forget.
      abandoned_.Remove(id);
      continue;
    }
    RETURN_IF_ERROR(record.status());
    ASSIGN_OR_RETURN(Blob sealed, SealedBlob(*record));
    blobs.push_back({.digest = std::move(sealed.digest),
                     .size_bytes = sealed.size_bytes,
                     .storage_key = std::move(sealed.storage_key)});
  }
  return blobs;
}

absl::Status KvUploadSessions::ForgetAbandoned(const StorageKey& key) {
  const UploadId id = UploadOf(key);
  if (table_.Contains(id)) return absl::FailedPreconditionError("the upload's session has not expired");
  RETURN_IF_ERROR(records_.Delete({id}));
  RETURN_IF_ERROR(Failpoint("blob.session.abandoned_forgotten"));
  abandoned_.Remove(id);
  return absl::OkStatus();
}

absl::StatusOr<KvUploadSessions::Record> KvUploadSessions::Load(SessionTable::Claim& claim) {
  absl::StatusOr<Record> record = records_.Get(claim.id());
  if (absl::IsNotFound(record.status())) claim.Remove();
  return record;
}

absl::StatusOr<KvUploadSessions::Record> KvUploadSessions::LoadOpen(SessionTable::Claim& claim) {
  ASSIGN_OR_RETURN(Record record, Load(claim));
  if (record.state() != Record::OPEN) return UnknownSession();
  return record;
}

absl::StatusOr<std::unique_ptr<StagedUpload>> KvUploadSessions::OpenStaged(StagingArea::Accept accept,
                                                                           SessionTable::Claim& claim, Record& record) {
  absl::StatusOr<std::unique_ptr<StagedUpload>> staged = uploads_.Open(accept, claim, record);
  if (absl::IsNotFound(staged.status())) endings_.DeleteOrLog(claim, UploadResult::kLost);
  return staged;
}

}  // namespace entrepot::blob
