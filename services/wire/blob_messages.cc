#include "services/wire/blob_messages.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"

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

blob::v1::UploadFilter ToMessage(const UploadFilter& filter) {
  blob::v1::UploadFilter message;
  message.set_upload_id(filter.id);
  message.set_repository(filter.repository);
  message.set_account(filter.account);
  message.set_client(filter.client);
  return message;
}

UploadFilter FromMessage(const blob::v1::UploadFilter& message) {
  return {.id = message.upload_id(),
          .repository = message.repository(),
          .account = message.account(),
          .client = message.client()};
}

blob::v1::OpenUpload ToMessage(const OpenUpload& upload) {
  blob::v1::OpenUpload message;
  message.set_upload_id(upload.id);
  message.set_repository(upload.repository);
  message.set_account(upload.account);
  message.set_client(upload.client);
  message.set_received_bytes(upload.received_bytes);
  *message.mutable_started_at() = ToTimestamp(upload.started_at);
  *message.mutable_touched_at() = ToTimestamp(upload.touched_at);
  *message.mutable_expires_at() = ToTimestamp(upload.expires_at);
  message.set_in_use(upload.in_use);
  return message;
}

OpenUpload FromMessage(const blob::v1::OpenUpload& message) {
  return {.id = message.upload_id(),
          .repository = message.repository(),
          .account = message.account(),
          .client = message.client(),
          .received_bytes = message.received_bytes(),
          .started_at = FromTimestamp(message.started_at()),
          .touched_at = FromTimestamp(message.touched_at()),
          .expires_at = FromTimestamp(message.expires_at()),
          .in_use = message.in_use()};
}

}  // namespace entrepot
