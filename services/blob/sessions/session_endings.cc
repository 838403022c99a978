#include "services/blob/sessions/session_endings.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/core/content.h"
#include "services/core/failpoint/failpoint.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

// If `digester` has another algorithm, all bytes are hashed again.
absl::StatusOr<Digest> DigestOf(const storage::v1::UploadRecord& record, const Digester& digester, StagedUpload* staged,
                                DigestAlgorithm algorithm) {
  if (digester.algorithm() == algorithm) return digester.Current();
  if (staged == nullptr) return ComputeDigest(algorithm, record.inline_bytes());
  Digester again(algorithm);
  RETURN_IF_ERROR(staged->Read([&](absl::string_view bytes) { again.Update(bytes); }));
  return again.Current();
}

void MakeSealed(const Digest& digest, const StorageKey& key, storage::v1::UploadRecord& record) {
  record.set_state(storage::v1::UploadRecord::SEALED);
  record.set_digest(digest.ToString());
  record.set_storage_key(key.ToString());
  record.clear_digester();
  record.clear_inline_bytes();
}

}  // namespace

absl::StatusOr<Blob> SessionEndings::Seal(SessionTable::Claim& claim, storage::v1::UploadRecord record,
                                          const Digester& digester, std::unique_ptr<StagedUpload> staged,
                                          const Digest& digest) {
  RETURN_IF_ERROR(store_.CheckWritable());
  ASSIGN_OR_RETURN(const Digest found, DigestOf(record, digester, staged.get(), digest.algorithm()));
  RETURN_IF_ERROR(CheckDigest(claim, found, digest));
  RETURN_IF_ERROR(staged == nullptr ? SealInRecord(claim, record, digest)
                                    : SealStaged(claim, record, std::move(staged), digest));
  claim.Update(SessionState::kSealed, record.offset_bytes(), /*trusted=*/true);
  metrics_.CountUpload(UploadResult::kSealed);
  metrics_.ObserveBlobSize(static_cast<double>(record.offset_bytes()));
  return SealedBlob(record);
}

absl::Status SessionEndings::CheckDigest(SessionTable::Claim& claim, const Digest& found, const Digest& wanted) {
  if (found == wanted) return absl::OkStatus();
  RETURN_IF_ERROR(Delete(claim, UploadResult::kDigestMismatch));
  return OciError(OciErrorCode::kDigestInvalid, absl::StrCat("the uploaded bytes have the digest ", found.ToString()),
                  wanted.ToString());
}

absl::Status SessionEndings::SealInRecord(SessionTable::Claim& claim, storage::v1::UploadRecord& record,
                                          const Digest& digest) {
  const std::string bytes = std::move(*record.mutable_inline_bytes());
  MakeSealed(digest, KvObjectStore::KeyOf(claim.id()), record);
  const absl::Time start = absl::Now();
  absl::Status status = records_.PutSealedWithObject(claim.id(), record, bytes, object_durability_);
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kPublish, status.ok(), absl::Now() - start);
  return status;
}

absl::Status SessionEndings::SealStaged(SessionTable::Claim& claim, storage::v1::UploadRecord& record,
                                        std::unique_ptr<StagedUpload> staged, const Digest& digest) {
  RETURN_IF_ERROR(store_.Publish(claim.id(), std::move(staged)));
  RETURN_IF_ERROR(Failpoint("blob.seal.published"));
  const StorageKey key = StagingObjectStore::KeyOf(claim.id());
  RecordVerified(key, digest);
  MakeSealed(digest, key, record);
  // The object is durable already; the record only points to it.
  RETURN_IF_ERROR(records_.Put(claim.id(), record));
  return Failpoint("blob.seal.recorded");
}

void SessionEndings::RecordVerified(const StorageKey& key, const Digest& digest) {
  if (verified_ == nullptr) return;
  if (absl::StatusOr<OpenObject> object = store_.Open(key); object.ok()) {
    verified_->Record(key, object->version, digest, /*good=*/true);
  }
}

absl::Status SessionEndings::Delete(SessionTable::Claim& claim, UploadResult result) {
  RETURN_IF_ERROR(records_.Delete({claim.id()}));
  RETURN_IF_ERROR(Failpoint("blob.session.deleted"));
  if (absl::Status status = uploads_.Discard(claim.id()); !status.ok()) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "an upload's bytes stay until the next start", "",
                        {{"error", status.message()}});
  }
  claim.Remove();
  metrics_.CountUpload(result);
  return absl::OkStatus();
}

absl::StatusOr<Blob> SealedBlob(const storage::v1::UploadRecord& record) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(record.digest()));
  ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(record.storage_key()));
  return Blob{.digest = std::move(digest), .size_bytes = record.offset_bytes(), .storage_key = std::move(key)};
}

}  // namespace entrepot::blob
