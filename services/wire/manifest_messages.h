#ifndef ENTREPOT_SERVICES_WIRE_MANIFEST_MESSAGES_H_
#define ENTREPOT_SERVICES_WIRE_MANIFEST_MESSAGES_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/manifest_service.pb.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/fetch_claim.h"
#include "services/core/preconditions.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/room_request.h"
#include "services/status/status_macros.h"

// Conversions between the messages of proto/entrepot/manifest/v1 and the values that the code uses. kInvalidArgument,
// with an OCI code: a message is invalid.
namespace entrepot {

struct BlobName {
  RepositoryName repository;
  Digest digest;
};

// Parses the blob of a request that has a repository and a digest.
template <typename Request>
absl::StatusOr<BlobName> BlobNameOf(const Request& request) {
  ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(request.repository()));
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(request.digest()));
  return BlobName{.repository = std::move(repository), .digest = std::move(digest)};
}

struct ManifestName {
  RepositoryName repository;
  Reference reference;
};

// Parses the manifest of a request that has a repository and a reference.
template <typename Request>
absl::StatusOr<ManifestName> ManifestNameOf(const Request& request) {
  ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(request.repository()));
  ASSIGN_OR_RETURN(Reference reference, ParseReference(request.reference()));
  return ManifestName{.repository = std::move(repository), .reference = std::move(reference)};
}

absl::StatusOr<std::optional<RepositoryName>> SourceOf(const manifest::v1::MountBlobRequest& message);

manifest::v1::Preconditions ToMessage(const Preconditions& preconditions);
absl::StatusOr<Preconditions> FromMessage(const manifest::v1::Preconditions& message);

// Converts everything except the repository and the caller.
manifest::v1::PutManifestRequest ToMessage(const ManifestPut& put);
absl::StatusOr<ManifestPut> FromMessage(const manifest::v1::PutManifestRequest& message);

manifest::v1::PutManifestResponse ToMessage(const ManifestPutResult& result);
absl::StatusOr<ManifestPutResult> FromMessage(const manifest::v1::PutManifestResponse& message);

manifest::v1::Manifest ToMessage(StoredManifest&& manifest);
absl::StatusOr<StoredManifest> FromMessage(manifest::v1::Manifest&& message);

manifest::v1::ListTagsResponse ToMessage(TagPage&& page);
TagPage FromMessage(manifest::v1::ListTagsResponse&& message);

manifest::v1::ListReferrersResponse ToMessage(ReferrerPage&& page);
absl::StatusOr<ReferrerPage> FromMessage(manifest::v1::ListReferrersResponse&& message);

manifest::v1::ListRepositoriesResponse ToMessage(RepositoryPage&& page);
RepositoryPage FromMessage(manifest::v1::ListRepositoriesResponse&& message);

manifest::v1::DeleteRepositoryResponse ToMessage(const RepositoryDeletion& deletion);
RepositoryDeletion FromMessage(const manifest::v1::DeleteRepositoryResponse& message);

// Converts everything except the caller.
manifest::v1::MakeRoomRequest ToMessage(const RoomRequest& request);
absl::StatusOr<RoomRequest> FromMessage(const manifest::v1::MakeRoomRequest& message);

// Converts everything except the caller.
manifest::v1::ClaimFetchRequest ToMessage(const FetchClaim& claim);
absl::StatusOr<FetchClaim> FromMessage(const manifest::v1::ClaimFetchRequest& message);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_WIRE_MANIFEST_MESSAGES_H_
