#include "services/wire/blob_messages.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace entrepot {

blob::v1::DigestAlgorithm ToMessage(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::kSha512 ? blob::v1::DIGEST_ALGORITHM_SHA512 : blob::v1::DIGEST_ALGORITHM_SHA256;
}

absl::StatusOr<std::optional<DigestAlgorithm>> FromMessage(blob::v1::DigestAlgorithm algorithm) {
  switch (algorithm) {
    case blob::v1::DIGEST_ALGORITHM_UNSPECIFIED:
      return std::nullopt;
    case blob::v1::DIGEST_ALGORITHM_SHA256:
      return DigestAlgorithm::kSha256;
    case blob::v1::DIGEST_ALGORITHM_SHA512:
      return DigestAlgorithm::kSha512;
    default:
      return absl::InvalidArgumentError(absl::StrCat("unknown digest algorithm ", static_cast<int>(algorithm)));
  }
}

blob::v1::Upload ToMessage(const Upload& upload) {
  blob::v1::Upload message;
  message.set_upload_id(upload.id.ToString());
  message.set_offset_bytes(upload.offset_bytes);
  message.set_whole(upload.whole);
  return message;
}

absl::StatusOr<Upload> FromMessage(const blob::v1::Upload& message) {
  ASSIGN_OR_RETURN(UploadId id, UploadId::Parse(message.upload_id()));
  return Upload{.id = std::move(id), .offset_bytes = message.offset_bytes(), .whole = message.whole()};
}

}  // namespace entrepot
