#include "services/blob/sessions/sealed_record.h"

#include <utility>

#include "services/status/status_macros.h"

namespace entrepot::blob {

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

absl::StatusOr<Blob> SealedBlob(const storage::v1::UploadRecord& record) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(record.digest()));
  ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(record.storage_key()));
  return Blob{.digest = std::move(digest), .size_bytes = record.offset_bytes(), .storage_key = std::move(key)};
}

}  // namespace entrepot::blob
