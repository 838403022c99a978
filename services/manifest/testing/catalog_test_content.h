#ifndef ENTREPOT_SERVICES_MANIFEST_TESTING_CATALOG_TEST_CONTENT_H_
#define ENTREPOT_SERVICES_MANIFEST_TESTING_CATALOG_TEST_CONTENT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/core/caller.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"

// Content for tests of the catalog.
namespace entrepot::manifest {

inline constexpr char kImageType[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kIndexType[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kConfigType[] = "application/vnd.oci.image.config.v1+json";
inline constexpr char kLayerType[] = "application/vnd.oci.image.layer.v1.tar+gzip";

// A caller without an account and without a token.
inline const Caller kAnonymous;

RepositoryName Repo(absl::string_view name);
Tag TagNamed(absl::string_view name);
Digest DigestOf(absl::string_view content, DigestAlgorithm algorithm = DigestAlgorithm::kSha256);

// A sealed upload of the content. Each call returns another storage key. Thread-safe.
Blob Upload(absl::string_view content, DigestAlgorithm algorithm = DigestAlgorithm::kSha256);

// The JSON of a descriptor. `more` is JSON of further members, like `,"urls":[]`.
std::string DescriptorJson(absl::string_view media_type, const Digest& digest, size_t size_bytes,
                           absl::string_view more = "");
std::string DescriptorOf(const Blob& blob, absl::string_view media_type = kLayerType, absl::string_view more = "");

// The JSON of an image manifest. `more` is JSON of further members.
std::string ImageJson(const Blob& config, const std::vector<Blob>& layers, absl::string_view more = "");
// The JSON of an index of manifests of kImageType, which are given by their content.
std::string IndexJson(const std::vector<std::string>& children, absl::string_view more = "");
// The JSON of a member "subject".
std::string SubjectMember(absl::string_view subject_content);

ManifestPut PutByTag(absl::string_view tag, std::string content, absl::string_view media_type = kImageType);
ManifestPut PutByDigest(std::string content, absl::string_view media_type = kImageType);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_TESTING_CATALOG_TEST_CONTENT_H_
