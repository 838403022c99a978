#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_MANIFEST_MESSAGES_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_MANIFEST_MESSAGES_H_

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/manifest_service.pb.h"
#include "entrepot/types/v1/caller.pb.h"
#include "services/core/caller.h"
#include "services/core/content.h"

// The manifest service's messages in the gateway's terms. kInvalidArgument where an answer cannot be right.
namespace entrepot::gateway {

absl::StatusOr<Blob> FromMessage(const manifest::v1::Blob& message);
absl::StatusOr<ManifestPutResult> FromMessage(const manifest::v1::PutManifestResponse& message);
absl::StatusOr<StoredManifest> FromMessage(manifest::v1::Manifest&& message);
TagPage FromMessage(manifest::v1::ListTagsResponse&& message);
absl::StatusOr<ReferrerPage> FromMessage(manifest::v1::ListReferrersResponse&& message);
RepositoryPage FromMessage(manifest::v1::ListRepositoriesResponse&& message);
RepositoryDeletion FromMessage(const manifest::v1::DeleteRepositoryResponse& message);

types::v1::Caller ToMessage(const Caller& caller);

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_MANIFEST_MESSAGES_H_
