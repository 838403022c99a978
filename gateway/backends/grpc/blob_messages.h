#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_BLOB_MESSAGES_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_BLOB_MESSAGES_H_

#include "absl/status/statusor.h"
#include "entrepot/blob/v1/blob_service.pb.h"
#include "gateway/backends/call_context.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/upload.h"
#include "services/core/upload_id.h"

// The blob service's messages in the gateway's terms. kInvalidArgument or kNotFound where an answer cannot be right.
namespace entrepot::gateway {

blob::v1::DigestAlgorithm ToMessage(DigestAlgorithm algorithm);

absl::StatusOr<Upload> FromMessage(const absl::StatusOr<blob::v1::Upload>& message);
absl::StatusOr<SealedUpload> FromMessage(const absl::StatusOr<blob::v1::SealedUpload>& message);

// A request of any message that names a session of the caller's.
template <typename Request>
Request SessionRequest(const CallContext& context, const RepositoryName& repository, const UploadId& id) {
  Request request;
  request.set_repository(repository.ToString());
  request.set_account(context.caller.account);
  request.set_upload_id(id.ToString());
  return request;
}

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_BLOB_MESSAGES_H_
