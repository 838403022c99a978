#include "services/blob/sessions/shared_endings.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/sessions/sealed_record.h"
#include "services/blob/sessions/session_info.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/proto_time.h"
#include "services/core/time/stopwatch.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

std::function<absl::Status(const SharedEndings::Record&)> HasVersion(const std::string& version) {
  return [version](const SharedEndings::Record& stored) {
    return stored.version() == version ? absl::OkStatus() : ChangedMeanwhile();
  };
}

}  // namespace

absl::StatusOr<Blob> SharedEndings::Seal(const UploadId& id, Content content, const Digest& digest) {
  const std::string promised = content.record.sealing_digest();
  const absl::Status writable = parts_.store->CheckWritable();
  absl::StatusOr<Blob> sealed = writable.ok() ? UnknownSession() : writable;
  if (writable.ok() && (promised.empty() || promised == digest.ToString())) {
    sealed = content.staged == nullptr ? SealInRecord(id, content, digest) : SealStaged(id, content, digest);
  }
  if (!sealed.ok() && content.claim != nullptr) content.claim->Release();
  return sealed;
}

absl::StatusOr<Blob> SharedEndings::SealInRecord(const UploadId& id, Content& content, const Digest& digest) {
  Record& record = content.record;
  const std::string version = record.version();
  ASSIGN_OR_RETURN(const Digest found, DigestOf(record, content.digester, nullptr, digest.algorithm()));
  if (found != digest) return WrongDigest(id, version, found, digest);
  const std::string bytes = std::move(*record.mutable_inline_bytes());
  // Of bytes that the ones in the record have replaced.
  const std::string obsolete = std::move(*record.mutable_staging_state());
  record.clear_staging_state();
  MakeSealed(digest, KvObjectStore::KeyOf(id), record);
  record.clear_claim();
  record.set_version(VersionedRecords::NewVersion());
  const Stopwatch stopwatch;
  absl::Status status = parts_.records->ReplaceWithObject(id, version, record, bytes, object_durability_);
  parts_.metrics->ObserveOperation(StoreBackend::kKv, StoreOperation::kPublish, status.ok(), stopwatch.Elapsed());
  if (!status.ok()) return SealedByAnother(id, digest, status);
  if (!obsolete.empty()) parts_.store->DiscardStaged(id, obsolete).IgnoreError();
  return Sealed(id, record);
}

absl::StatusOr<Blob> SharedEndings::SealStaged(const UploadId& id, Content& content, const Digest& digest) {
  Record& record = content.record;
  const std::string version = content.claim->version();
  const bool hashed = content.digester.algorithm() == digest.algorithm();
  if (hashed && content.digester.Current() != digest) {
    return WrongDigest(id, version, content.digester.Current(), digest);
  }
  if (record.sealing_digest().empty() || (!hashed && !record.sealing_unverified())) {
    RETURN_IF_ERROR(Mark(id, version, record, digest, /*unverified=*/!hashed));
  }
  if (!hashed) {
    // This may publish the bytes already.
    ASSIGN_OR_RETURN(const Digest found, DigestOf(record, content.digester, content.staged.get(), digest.algorithm()));
    if (found != digest) return WrongDigest(id, version, found, digest, /*published=*/true);
  }
  if (absl::Status status = parts_.store->Publish(id, std::move(content.staged)); !status.ok()) {
    if (!absl::IsNotFound(status)) return status;
    // The store will never make an object of these bytes.
    RETURN_IF_ERROR(End(id, {.result = UploadResult::kLost, .by_service = true}, HasVersion(version)));
    return UnknownSession();
  }
  RETURN_IF_ERROR(Failpoint("blob.seal.published"));
  absl::StatusOr<Blob> sealed = RecordSealed(id, version, record, digest);
  if (sealed.ok() && content.replaces_staged) parts_.store->DiscardStaged(id, record.staging_state()).IgnoreError();
  return sealed;
}

absl::StatusOr<Blob> SharedEndings::SealPublished(const UploadId& id, const Record& record, UploadClaims::Held& claim,
                                                  const Digest& digest) {
  ASSIGN_OR_RETURN(std::unique_ptr<StagedUpload> published, parts_.store->OpenPublished(id, record.sealing_bytes()));
  if (record.sealing_unverified()) {
    Digester digester(digest.algorithm());
    RETURN_IF_ERROR(published->Read([&](absl::string_view bytes) { digester.Update(bytes); }));
    if (digester.Current() != digest)
      return WrongDigest(id, claim.version(), digester.Current(), digest, /*published=*/true);
  }
  RETURN_IF_ERROR(parts_.store->Publish(id, std::move(published)));
  Record sealed = record;
  sealed.set_offset_bytes(record.sealing_bytes());
  return RecordSealed(id, claim.version(), std::move(sealed), digest);
}

absl::Status SharedEndings::Mark(const UploadId& id, const std::string& version, Record& record, const Digest& digest,
                                 bool unverified) {
  record.set_sealing_digest(digest.ToString());
  record.set_sealing_bytes(record.offset_bytes());
  record.set_sealing_unverified(unverified);
  return parts_.records
      ->Change(id,
               [&](Record& stored) {
                 if (stored.version() != version) return ChangedMeanwhile();
                 stored.set_sealing_digest(record.sealing_digest());
                 stored.set_sealing_bytes(record.sealing_bytes());
                 stored.set_sealing_unverified(unverified);
                 stored.mutable_claim()->set_seals(true);
                 return absl::OkStatus();
               })
      .status();
}

absl::StatusOr<Blob> SharedEndings::RecordSealed(const UploadId& id, const std::string& version, Record record,
                                                 const Digest& digest) {
  MakeSealed(digest, StagingObjectStore::KeyOf(id), record);
  record.clear_staging_state();
  record.clear_claim();
  record.set_version(VersionedRecords::NewVersion());
  // The object is durable already; the record only points to it.
  if (absl::Status status = parts_.records->Replace(id, version, record, kv::Durability::kBuffered); !status.ok()) {
    return SealedByAnother(id, digest, status);
  }
  return Sealed(id, record);
}

absl::Status SharedEndings::WrongDigest(const UploadId& id, const std::string& version, const Digest& found,
                                        const Digest& wanted, bool published) {
  RETURN_IF_ERROR(
      End(id, {.result = UploadResult::kDigestMismatch, .wrong_digest = wanted.ToString()}, HasVersion(version)));
  // If the bytes were published in order to hash them.
  if (published) parts_.store->Delete(StagingObjectStore::KeyOf(id)).IgnoreError();
  return OciError(OciErrorCode::kDigestInvalid, absl::StrCat("the uploaded bytes have the digest ", found.ToString()),
                  wanted.ToString());
}

absl::StatusOr<Blob> SharedEndings::SealedByAnother(const UploadId& id, const Digest& digest,
                                                    const absl::Status& status) {
  if (!absl::IsOutOfRange(status)) return status;
  ASSIGN_OR_RETURN(const Record record, parts_.reads->Get(id));
  if (record.state() != Record::SEALED || record.digest() != digest.ToString()) return status;
  return SealedBlob(record);
}

bool SharedEndings::HasSealed(const UploadOwner& owner, const UploadId& id) {
  absl::MutexLock lock(&mutex_);
  const SessionOwner* const sealed_for = sealed_.Find(id.ToString());
  return sealed_for != nullptr && sealed_for->Is(owner);
}

absl::StatusOr<Blob> SharedEndings::Sealed(const UploadId& id, const Record& record) {
  {
    absl::MutexLock lock(&mutex_);
    sealed_[id.ToString()] = InfoOf(record).owner;
  }
  parts_.census->Set(id, {.info = InfoOf(record)});
  parts_.metrics->CountUpload(UploadResult::kSealed);
  parts_.metrics->ObserveBlobSize(static_cast<double>(record.offset_bytes()));
  return SealedBlob(record);
}

absl::Status SharedEndings::End(const UploadId& id, const Ending& ending,
                                const std::function<absl::Status(const Record&)>& check) {
  std::string staging_state;
  bool staged = false;
  ASSIGN_OR_RETURN(const Record ended, parts_.records->Change(id, [&](Record& record) -> absl::Status {
    RETURN_IF_ERROR(check(record));
    staged = record.staged_in_file() || !record.staging_state().empty() || record.has_claim();
    staging_state = record.staging_state();
    record.set_state(Record::ENDED);
    record.set_staged_in_file(staged);
    record.set_digest(ending.wrong_digest);
    record.set_ended_by_service(ending.by_service);
    record.set_version(VersionedRecords::NewVersion());
    *record.mutable_updated_at() = ToTimestamp(parts_.clock->Now());
    record.clear_claim();
    record.clear_digester();
    record.clear_inline_bytes();
    return absl::OkStatus();
  }));
  parts_.census->Set(id, {.info = InfoOf(ended)});
  parts_.metrics->CountUpload(ending.result);
  RETURN_IF_ERROR(Failpoint("blob.session.deleted"));
  if (!staged) return absl::OkStatus();
  if (absl::Status status = parts_.store->DiscardStaged(id, staging_state); !status.ok()) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "an ended upload could not be deleted yet", "",
                        {{"upload_id", id.ToString()}, {"error", status.message()}});
  }
  return absl::OkStatus();
}

}  // namespace entrepot::blob
