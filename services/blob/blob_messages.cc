#include "services/blob/blob_messages.h"

#include "absl/strings/str_cat.h"

namespace entrepot::blob {

absl::StatusOr<std::optional<DigestAlgorithm>> FromMessage(v1::DigestAlgorithm algorithm) {
  switch (algorithm) {
    case v1::DIGEST_ALGORITHM_UNSPECIFIED:
      return std::nullopt;
    case v1::DIGEST_ALGORITHM_SHA256:
      return DigestAlgorithm::kSha256;
    case v1::DIGEST_ALGORITHM_SHA512:
      return DigestAlgorithm::kSha512;
    default:
      return absl::InvalidArgumentError(absl::StrCat("algorithm: ", static_cast<int>(algorithm), " is not known"));
  }
}

void ToMessage(const Upload& upload, v1::Upload* message) {
  message->set_upload_id(upload.id.ToString());
  message->set_offset_bytes(upload.offset_bytes);
}

void ToMessage(const SealedUpload& upload, v1::SealedUpload* message) {
  message->set_digest(upload.digest.ToString());
  message->set_size_bytes(upload.size_bytes);
  message->set_storage_key(upload.storage_key.ToString());
}

}  // namespace entrepot::blob
