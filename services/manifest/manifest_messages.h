#ifndef ENTREPOT_SERVICES_MANIFEST_MANIFEST_MESSAGES_H_
#define ENTREPOT_SERVICES_MANIFEST_MANIFEST_MESSAGES_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/manifest_service.pb.h"
#include "entrepot/types/v1/caller.pb.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/status/status_macros.h"

// Between the messages of proto/entrepot/manifest/v1 and the values that the rest of the service works with. Whatever
// cannot be parsed is kInvalidArgument with its OCI code.
namespace entrepot::manifest {

struct BlobName {
  RepositoryName repository;
  Digest digest;
};

// Of every message that has a repository and a digest.
template <typename Message>
absl::StatusOr<BlobName> BlobNameOf(const Message& message) {
  ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(message.repository()));
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  return BlobName{.repository = std::move(repository), .digest = std::move(digest)};
}

struct ManifestName {
  RepositoryName repository;
  Reference reference;
};

// Of every message that has a repository and a reference.
template <typename Message>
absl::StatusOr<ManifestName> ManifestNameOf(const Message& message) {
  ASSIGN_OR_RETURN(RepositoryName repository, RepositoryName::Parse(message.repository()));
  ASSIGN_OR_RETURN(Reference reference, ParseReference(message.reference()));
  return ManifestName{.repository = std::move(repository), .reference = std::move(reference)};
}

Caller FromMessage(const types::v1::Caller& message);
// Of every request.
template <typename Request>
Caller CallerOf(const Request& request) {
  return FromMessage(request.caller());
}

absl::StatusOr<Blob> FromMessage(const v1::CommitBlobRequest& message);
absl::StatusOr<std::optional<RepositoryName>> SourceOf(const v1::MountBlobRequest& message);
absl::StatusOr<ManifestPut> FromMessage(const v1::PutManifestRequest& message);

void ToMessage(const Blob& blob, v1::Blob* message);
void ToMessage(const ManifestPutResult& result, v1::PutManifestResponse* message);
void ToMessage(StoredManifest&& manifest, v1::Manifest* message);
void ToMessage(TagPage&& page, v1::ListTagsResponse* message);
void ToMessage(ReferrerPage&& page, v1::ListReferrersResponse* message);
void ToMessage(RepositoryPage&& page, v1::ListRepositoriesResponse* message);
void ToMessage(const RepositoryDeletion& deletion, v1::DeleteRepositoryResponse* message);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MANIFEST_MESSAGES_H_
