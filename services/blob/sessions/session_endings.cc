#include "services/blob/sessions/session_endings.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/core/content.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/stopwatch.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

absl::StatusOr<Blob> SessionEndings::Seal(SessionTable::Claim& claim, storage::v1::UploadRecord record,
                                          const Digester& digester, std::unique_ptr<StagedUpload> staged,
                                          const Digest& digest) {
  RETURN_IF_ERROR(store_.CheckWritable());
  ASSIGN_OR_RETURN(const Digest found, DigestOf(record, digester, staged.get(), digest.algorithm()));
  RETURN_IF_ERROR(CheckDigest(claim, found, digest));
  RETURN_IF_ERROR(staged == nullptr ? SealInRecord(claim, record, digest)
                                    : SealStaged(claim, record, std::move(staged), digest));
  claim.Update(SessionState::kSealed, record.offset_bytes(), /*trusted=*/true);
  recent_.Add(claim.id(), claim.info().owner, RecentEndings::Kind::kSealed, digest.ToString());
  metrics_.CountUpload(UploadResult::kSealed);
  metrics_.ObserveBlobSize(static_cast<double>(record.offset_bytes()));
  return SealedBlob(record);
}

absl::Status SessionEndings::CheckDigest(SessionTable::Claim& claim, const Digest& found, const Digest& wanted) {
  if (found == wanted) return absl::OkStatus();
  recent_.Add(claim.id(), claim.info().owner, RecentEndings::Kind::kWrongDigest, wanted.ToString());
  DeleteOrLog(claim, UploadResult::kDigestMismatch);
  return OciError(OciErrorCode::kDigestInvalid, absl::StrCat("the uploaded bytes have the digest ", found.ToString()),
                  wanted.ToString());
}

absl::Status SessionEndings::SealInRecord(SessionTable::Claim& claim, storage::v1::UploadRecord& record,
                                          const Digest& digest) {
  const std::string bytes = std::move(*record.mutable_inline_bytes());
  MakeSealed(digest, KvObjectStore::KeyOf(claim.id()), record);
  const Stopwatch stopwatch;
  absl::Status status = records_.PutSealedWithObject(claim.id(), record, bytes, object_durability_);
  metrics_.ObserveOperation(StoreBackend::kKv, StoreOperation::kPublish, status.ok(), stopwatch.Elapsed());
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
  if (claim.open()) {
    claim.End();
    metrics_.CountUpload(result);
  }
  // The record first: at a start, staged bytes without a record are deleted.
  RETURN_IF_ERROR(records_.Delete({claim.id()}));
  RETURN_IF_ERROR(Failpoint("blob.session.deleted"));
  RETURN_IF_ERROR(uploads_.Discard(claim.id()));
  claim.Remove();
  return absl::OkStatus();
}

void SessionEndings::DeleteOrLog(SessionTable::Claim& claim, UploadResult result) {
  if (absl::Status status = Delete(claim, result); !status.ok()) {
    runtime::LogLimited(runtime::LogLevel::kWarning, "an ended upload could not be deleted yet", "",
                        {{"upload_id", claim.id().ToString()}, {"error", status.message()}});
  }
}

}  // namespace entrepot::blob
