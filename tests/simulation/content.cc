#include "tests/simulation/content.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/manifest/testing/catalog_test_content.h"

namespace entrepot::simulation {
namespace {

SomeManifest Image(const Content& content, size_t config, const std::vector<size_t>& layers, absl::string_view more) {
  const auto blob = [&](size_t index) {
    const SomeBlob& some = content.blobs[index];
    return Blob{some.digest, some.bytes.size(), manifest::Upload("").storage_key};
  };
  std::vector<Blob> layer_blobs;
  SomeManifest made{.digest = content.blobs[0].digest,
                    .content = "",
                    .media_type = manifest::kImageType,
                    .blobs = {config},
                    .manifests = {}};
  for (const size_t layer : layers) {
    layer_blobs.push_back(blob(layer));
    made.blobs.push_back(layer);
  }
  made.content = manifest::ImageJson(blob(config), layer_blobs, more);
  made.digest = manifest::DigestOf(made.content);
  return made;
}

SomeManifest Index(const Content& content, const std::vector<size_t>& children) {
  std::vector<std::string> contents;
  for (const size_t child : children) contents.push_back(content.manifests[child].content);
  SomeManifest made{.digest = content.blobs[0].digest,
                    .content = manifest::IndexJson(contents),
                    .media_type = manifest::kIndexType,
                    .blobs = {},
                    .manifests = children};
  made.digest = manifest::DigestOf(made.content);
  return made;
}

Content Make() {
  Content content;
  content.upstream = "up";
  for (const char* const name : {"a", "a/b", "up/c", "up/d"}) content.repositories.push_back(manifest::Repo(name));
  for (const char* const name : {"x", "y"}) content.tags.push_back(manifest::TagNamed(name));
  for (int i = 0; i < 4; ++i) {
    std::string bytes = absl::StrCat("blob ", i, std::string(i, '.'));
    Digest digest = manifest::DigestOf(bytes);
    content.blobs.push_back({std::move(digest), std::move(bytes)});
  }
  content.manifests.push_back(Image(content, 0, {1}, ""));
  content.manifests.push_back(Image(content, 0, {1, 2}, ""));
  content.manifests.push_back(Image(content, 3, {2}, ""));
  content.manifests.push_back(Index(content, {0, 2}));
  // A signature of the first manifest.
  content.manifests.push_back(Image(content, 3, {1}, manifest::SubjectMember(content.manifests[0].content)));
  content.policy = absl::StrCat("incomplete_manifests: [{repositories: [", content.repositories[1].ToString(),
                                "], allow: [absent_children, absent_layers]}]");
  content.immutable_tags =
      absl::StrCat("\nimmutable_tags: [{name: rule, repositories: [",
                   content.repositories[Content::kImmutableRepository].ToString(), "], tags: ['*']}]");
  return content;
}

}  // namespace

const Content& Content::Get() {
  static const Content* const content = new Content(Make());
  return *content;
}

const SomeBlob& Content::BlobOf(const Digest& digest) const {
  for (const SomeBlob& blob : blobs) {
    if (blob.digest == digest) return blob;
  }
  std::abort();
}

}  // namespace entrepot::simulation
