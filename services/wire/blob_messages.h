#ifndef ENTREPOT_SERVICES_WIRE_BLOB_MESSAGES_H_
#define ENTREPOT_SERVICES_WIRE_BLOB_MESSAGES_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "entrepot/blob/v1/blob_service.pb.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"
#include "services/status/status_macros.h"

// Conversions between the messages of proto/entrepot/blob/v1 and the values that the code uses. kInvalidArgument: a
// message is invalid.
namespace entrepot {

blob::v1::DigestAlgorithm ToMessage(DigestAlgorithm algorithm);
// nullopt: the algorithm is unspecified. kInvalidArgument: it is unknown.
absl::StatusOr<std::optional<DigestAlgorithm>> FromMessage(blob::v1::DigestAlgorithm algorithm);

blob::v1::Upload ToMessage(const Upload& upload);
absl::StatusOr<Upload> FromMessage(const blob::v1::Upload& message);

// The upload session that a request names.
struct UploadName {
  UploadOwner owner;
  UploadId id;
};

// Parses the session of a request that has a repository, an account and an upload_id.
template <typename Request>
absl::StatusOr<UploadName> UploadNameOf(const Request& request) {
  ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(request.repository()));
  ASSIGN_OR_RETURN(UploadId id, UploadId::Parse(request.upload_id()));
  return UploadName{.owner = {.repository = std::move(repository), .account = request.account()}, .id = std::move(id)};
}

// Makes a request that names the session.
template <typename Request>
Request UploadRequest(const UploadOwner& owner, const UploadId& id) {
  Request request;
  request.set_repository(owner.repository.ToString());
  request.set_account(owner.account);
  request.set_upload_id(id.ToString());
  return request;
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_WIRE_BLOB_MESSAGES_H_
