#include "services/manifest/testing/catalog_test_content.h"

#include <atomic>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/core/digester.h"
#include "services/core/media_type.h"

namespace entrepot::manifest {

RepositoryName Repo(absl::string_view name) { return RepositoryName::Parse(name).value(); }
Tag TagNamed(absl::string_view name) { return Tag::Parse(name).value(); }
Digest DigestOf(absl::string_view content, DigestAlgorithm algorithm) { return ComputeDigest(algorithm, content); }

Blob Upload(absl::string_view content, DigestAlgorithm algorithm) {
  static std::atomic<uint64_t> uploads{0};
  return Blob{.digest = DigestOf(content, algorithm),
              .size_bytes = content.size(),
              .storage_key = StorageKey::Parse(absl::StrFormat("f%032x", ++uploads)).value()};
}

std::string DescriptorJson(absl::string_view media_type, const Digest& digest, size_t size_bytes,
                           absl::string_view more) {
  return absl::StrCat("{\"mediaType\":\"", media_type, "\",\"digest\":\"", digest.ToString(),
                      "\",\"size\":", size_bytes, more, "}");
}

std::string DescriptorOf(const Blob& blob, absl::string_view media_type, absl::string_view more) {
  return DescriptorJson(media_type, blob.digest, blob.size_bytes, more);
}

std::string ImageJson(const Blob& config, const std::vector<Blob>& layers, absl::string_view more) {
  const auto append_layer = [](std::string* out, const Blob& layer) { absl::StrAppend(out, DescriptorOf(layer)); };
  return absl::StrCat("{\"schemaVersion\":2,\"mediaType\":\"", kImageType,
                      "\",\"config\":", DescriptorOf(config, kConfigType), ",\"layers\":[",
                      absl::StrJoin(layers, ",", append_layer), "]", more, "}");
}

std::string IndexJson(const std::vector<std::string>& children, absl::string_view more) {
  const auto append_child = [](std::string* out, const std::string& child) {
    absl::StrAppend(out, DescriptorJson(kImageType, DigestOf(child), child.size()));
  };
  return absl::StrCat("{\"schemaVersion\":2,\"mediaType\":\"", kIndexType, "\",\"manifests\":[",
                      absl::StrJoin(children, ",", append_child), "]", more, "}");
}

std::string SubjectMember(absl::string_view subject_content) {
  return absl::StrCat(",\"subject\":", DescriptorJson(kImageType, DigestOf(subject_content), subject_content.size()));
}

ManifestPut PutByTag(absl::string_view tag, std::string content, absl::string_view media_type) {
  return {.reference = TagNamed(tag),
          .media_type = MediaType::Parse(media_type).value(),
          .content = std::move(content),
          .tags = {}};
}

ManifestPut PutByDigest(std::string content, absl::string_view media_type) {
  Digest digest = DigestOf(content);
  return {.reference = std::move(digest),
          .media_type = MediaType::Parse(media_type).value(),
          .content = std::move(content),
          .tags = {}};
}

}  // namespace entrepot::manifest
