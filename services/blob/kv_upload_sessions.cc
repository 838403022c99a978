#include "services/blob/kv_upload_sessions.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/blob/digester_state_record.h"
#include "services/blob/kv_object_tier.h"
#include "services/blob/session_appender.h"
#include "services/blob/timestamps.h"
#include "services/core/lower_hex.h"
#include "services/runtime/json_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

absl::StatusOr<Digest> DigestOf(StagedObject& staged, const storage::v1::DigesterStateRecord& state,
                                DigestAlgorithm algorithm) {
  ASSIGN_OR_RETURN(Digester recorded, RestoreDigester(state));
  if (recorded.algorithm() == algorithm) return recorded.Current();
  Digester digester(algorithm);
  RETURN_IF_ERROR(staged.Read([&](absl::string_view bytes) { digester.Update(bytes); }));
  return digester.Current();
}

absl::StatusOr<SealedUpload> ToSealedUpload(const storage::v1::UploadRecord& record) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(record.digest()));
  ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(record.storage_key()));
  return SealedUpload{.digest = std::move(digest), .size_bytes = record.offset_bytes(), .storage_key = std::move(key)};
}

void MakeSealed(const Digest& digest, const StorageKey& key, storage::v1::UploadRecord& record) {
  record.set_state(storage::v1::UploadRecord::SEALED);
  record.set_digest(digest.ToString());
  record.set_storage_key(key.ToString());
  record.clear_digester();
  record.clear_inline_bytes();
}

}  // namespace

KvUploadSessions::KvUploadSessions(const Options& options, kv::KvEngine* kv, ObjectStore* store, const Clock* clock,
                                   BlobMetrics* metrics)
    : options_(options),
      clock_(*clock),
      store_(*store),
      metrics_(*metrics),
      table_(options.open_max, options.lifetime, clock, metrics->upload_sessions()),
      records_(kv, clock, RandomLowerHex(16)),
      uploads_(store, &records_) {}

absl::Status KvUploadSessions::Recover() {
  absl::flat_hash_set<std::string> staged;
  RETURN_IF_ERROR(records_.ForEach([&](const UploadId& id, const Record& record) {
    SessionInfo info;
    info.repository = record.repository();
    info.state = record.state() == Record::SEALED ? SessionState::kSealed : SessionState::kOpen;
    info.offset_bytes = record.offset_bytes();
    info.trusted = !record.staged_in_file();
    info.touched_at = ToTime(record.updated_at());
    if (record.staged_in_file() && info.state == SessionState::kOpen) staged.insert(id.ToString());
    if (info.state == SessionState::kSealed && info.touched_at + options_.lifetime <= clock_.Now()) return;
    table_.Restore(id, std::move(info));
  }));
  ASSIGN_OR_RETURN(const std::vector<UploadId> found, store_.ListStaged());
  for (const UploadId& id : found) {
    if (!staged.contains(id.ToString())) RETURN_IF_ERROR(store_.DiscardStaged(id));
  }
  return absl::OkStatus();
}

absl::StatusOr<Upload> KvUploadSessions::Start(const RepositoryName& repository, DigestAlgorithm algorithm) {
  RETURN_IF_ERROR(store_.CheckWritable());
  const UploadId id = UploadId::Random();
  ASSIGN_OR_RETURN(SessionTable::Claim claim, table_.Add(id, repository));
  Record record;
  record.set_state(Record::OPEN);
  record.set_repository(repository.ToString());
  *record.mutable_digester() = ToRecord(Digester(algorithm).Save());
  if (absl::Status status = records_.Put(id, record); !status.ok()) {
    claim.Remove();
    return status;
  }
  return Upload{.id = id, .offset_bytes = 0};
}

absl::StatusOr<Upload> KvUploadSessions::Get(const RepositoryName& repository, const UploadId& id) {
  ASSIGN_OR_RETURN(const SessionInfo info, table_.Find(id, repository));
  if (info.state != SessionState::kOpen) return UnknownSession();
  if (!info.trusted) {
    ASSIGN_OR_RETURN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kVerify, id, repository));
    ASSIGN_OR_RETURN(Record record, LoadOpen(claim));
    ASSIGN_OR_RETURN(std::unique_ptr<StagedObject> staged, OpenStaged(StagedUploads::Accept::kStaged, claim, record));
    uploads_.Park(id, std::move(staged));
  }
  return Upload{.id = id, .offset_bytes = info.offset_bytes};
}

absl::StatusOr<std::unique_ptr<UploadAppender>> KvUploadSessions::Append(const RepositoryName& repository,
                                                                         const UploadId& id,
                                                                         const AppendOptions& options) {
  RETURN_IF_ERROR(store_.CheckWritable());
  ASSIGN_OR_RETURN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kAppend, id, repository));
  ASSIGN_OR_RETURN(Record record, LoadOpen(claim));
  const uint64_t end = record.offset_bytes();
  if (options.offset_bytes.value_or(end) != end) {
    return OciError(OciErrorCode::kRangeInvalid,
                    absl::StrCat("the upload holds ", end, " bytes: go on from there, not ", *options.offset_bytes));
  }
  ASSIGN_OR_RETURN(Digester digester, RestoreDigester(record.digester()));
  if (end == 0 && options.algorithm.has_value()) digester = Digester(*options.algorithm);
  std::unique_ptr<StagedObject> staged;
  if (record.staged_in_file()) {
    ASSIGN_OR_RETURN(staged, OpenStaged(StagedUploads::Accept::kStaged, claim, record));
  }
  return std::make_unique<SessionAppender>(std::move(claim), std::move(record), std::move(digester), std::move(staged),
                                           &records_, &uploads_);
}

absl::StatusOr<SealedUpload> KvUploadSessions::Seal(const RepositoryName& repository, const UploadId& id,
                                                    const Digest& digest) {
  ASSIGN_OR_RETURN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kSeal, id, repository));
  ASSIGN_OR_RETURN(Record record, Load(claim));
  if (record.state() == Record::SEALED) {
    if (record.digest() != digest.ToString()) return UnknownSession();
    return ToSealedUpload(record);
  }
  RETURN_IF_ERROR(store_.CheckWritable());
  RETURN_IF_ERROR(record.staged_in_file() ? SealStaged(claim, record, digest) : SealInRecord(claim, record, digest));
  claim.Update(SessionState::kSealed, record.offset_bytes(), /*trusted=*/true);
  metrics_.CountUpload(UploadResult::kSealed);
  metrics_.ObserveBlobSize(static_cast<double>(record.offset_bytes()));
  return ToSealedUpload(record);
}

absl::Status KvUploadSessions::SealInRecord(SessionTable::Claim& claim, Record& record, const Digest& digest) {
  RETURN_IF_ERROR(CheckDigest(claim, ComputeDigest(digest.algorithm(), record.inline_bytes()), digest));
  const std::string bytes = std::move(*record.mutable_inline_bytes());
  MakeSealed(digest, KvObjectTier::KeyOf(claim.id()), record);
  const absl::Time start = absl::Now();
  absl::Status status = records_.PutSealedWithObject(claim.id(), record, bytes, options_.object_durability);
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kPublish, status.ok(), absl::Now() - start);
  return status;
}

absl::Status KvUploadSessions::SealStaged(SessionTable::Claim& claim, Record& record, const Digest& digest) {
  ASSIGN_OR_RETURN(std::unique_ptr<StagedObject> staged,
                   OpenStaged(StagedUploads::Accept::kStagedOrPublished, claim, record));
  ASSIGN_OR_RETURN(const Digest found, DigestOf(*staged, record.digester(), digest.algorithm()));
  RETURN_IF_ERROR(CheckDigest(claim, found, digest));
  RETURN_IF_ERROR(store_.Publish(claim.id(), std::move(staged)));
  MakeSealed(digest, ObjectStore::KeyOf(claim.id()), record);
  // The object is durable already; the record only tells that it is there.
  return records_.Put(claim.id(), record);
}

absl::Status KvUploadSessions::Cancel(const RepositoryName& repository, const UploadId& id) {
  ASSIGN_OR_RETURN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kEnd, id, repository));
  if (claim.info().state != SessionState::kOpen) return UnknownSession();
  return End(claim, UploadResult::kCancelled);
}

absl::Status KvUploadSessions::Forget(const RepositoryName& repository, const UploadId& id) {
  if (table_.RemoveSealed(id, repository)) return records_.Delete(id);
  if (table_.Contains(id)) return absl::OkStatus();
  // A sealed one that has expired.
  absl::StatusOr<Record> record = records_.Get(id);
  if (absl::IsNotFound(record.status())) return absl::OkStatus();
  RETURN_IF_ERROR(record.status());
  if (record->state() != Record::SEALED || record->repository() != repository.ToString()) return absl::OkStatus();
  return records_.Delete(id);
}

size_t KvUploadSessions::EndExpired(size_t limit) {
  std::vector<SessionTable::Claim> claims = table_.ClaimExpired(limit);
  for (SessionTable::Claim& claim : claims) {
    if (absl::Status status = End(claim, UploadResult::kExpired); !status.ok()) {
      runtime::Log(runtime::LogLevel::kWarning, "an expired upload could not be ended", {{"error", status.message()}});
    }
  }
  return claims.size();
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

absl::StatusOr<std::unique_ptr<StagedObject>> KvUploadSessions::OpenStaged(StagedUploads::Accept accept,
                                                                           SessionTable::Claim& claim, Record& record) {
  absl::StatusOr<std::unique_ptr<StagedObject>> staged = uploads_.Open(accept, claim, record);
  if (absl::IsNotFound(staged.status())) RETURN_IF_ERROR(End(claim, UploadResult::kLost));
  return staged;
}

absl::Status KvUploadSessions::End(SessionTable::Claim& claim, UploadResult result) {
  RETURN_IF_ERROR(records_.Delete(claim.id()));
  if (absl::Status status = uploads_.Discard(claim.id()); !status.ok()) {
    runtime::Log(runtime::LogLevel::kWarning, "an upload's bytes stay until the next start",
                 {{"error", status.message()}});
  }
  claim.Remove();
  metrics_.CountUpload(result);
  return absl::OkStatus();
}

absl::Status KvUploadSessions::CheckDigest(SessionTable::Claim& claim, const Digest& found, const Digest& wanted) {
  if (found == wanted) return absl::OkStatus();
  RETURN_IF_ERROR(End(claim, UploadResult::kDigestMismatch));
  return OciError(OciErrorCode::kDigestInvalid, absl::StrCat("the uploaded bytes have the digest ", found.ToString()),
                  wanted.ToString());
}

}  // namespace entrepot::blob
