#ifndef ENTREPOT_SERVICES_BLOB_BLOB_MESSAGES_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_MESSAGES_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "entrepot/blob/v1/blob_service.pb.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"
#include "services/status/status_macros.h"

// Between the messages of proto/entrepot/blob/v1 and the values that the rest of the service works with.
namespace entrepot::blob {

// nullopt where it is unspecified; kInvalidArgument where it is not known.
absl::StatusOr<std::optional<DigestAlgorithm>> FromMessage(v1::DigestAlgorithm algorithm);

void ToMessage(const Upload& upload, v1::Upload* message);
void ToMessage(const SealedUpload& upload, v1::SealedUpload* message);

// Which session a request is about.
struct UploadName {
  UploadOwner owner;
  UploadId id;
};

// Of every message that has a repository, an account and an upload_id.
template <typename Message>
absl::StatusOr<UploadName> UploadNameOf(const Message& message) {
  ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(message.repository()));
  ASSIGN_OR_RETURN(UploadId id, UploadId::Parse(message.upload_id()));
  return UploadName{.owner = {.repository = std::move(repository), .account = message.account()}, .id = std::move(id)};
}

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_MESSAGES_H_
