#include "gateway/api/request/locations.h"

#include "absl/strings/str_cat.h"

namespace entrepot::gateway::api {

std::string BlobLocation(const RepositoryName& repository, const Digest& digest) {
  return absl::StrCat("/v2/", repository.ToString(), "/blobs/", digest.ToString());
}

std::string UploadLocation(const RepositoryName& repository, const UploadId& id) {
  return absl::StrCat("/v2/", repository.ToString(), "/blobs/uploads/", id.ToString());
}

std::string ManifestLocation(const RepositoryName& repository, const Digest& digest) {
  return absl::StrCat("/v2/", repository.ToString(), "/manifests/", digest.ToString());
}

}  // namespace entrepot::gateway::api
