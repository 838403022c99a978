#include "gateway/backends/grpc/blob_messages.h"

#include <utility>

#include "services/core/storage_key.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {

namespace v1 = blob::v1;

v1::DigestAlgorithm ToMessage(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::kSha512 ? v1::DIGEST_ALGORITHM_SHA512 : v1::DIGEST_ALGORITHM_SHA256;
}

absl::StatusOr<Upload> FromMessage(const absl::StatusOr<v1::Upload>& message) {
  RETURN_IF_ERROR(message.status());
  ASSIGN_OR_RETURN(UploadId id, UploadId::Parse(message->upload_id()));
  return Upload{std::move(id), message->offset_bytes()};
}

absl::StatusOr<SealedUpload> FromMessage(const absl::StatusOr<v1::SealedUpload>& message) {
  RETURN_IF_ERROR(message.status());
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message->digest()));
  ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(message->storage_key()));
  return SealedUpload{std::move(digest), message->size_bytes(), std::move(key)};
}

}  // namespace entrepot::gateway
