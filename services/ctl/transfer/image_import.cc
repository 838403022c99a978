#include "services/ctl/transfer/image_import.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/ctl/command_line/image_name.h"
#include "services/ctl/transfer/image_export.h"
#include "services/ctl/transfer/manifest_type.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/management/image_parts.h"

namespace entrepot::ctl {
namespace {

// Of indexes in indexes.
constexpr int kDepthMax = 16;

// The tag in the annotation of an entry: some programs write the whole name of the image there. Empty if there is none.
std::string TagOf(const LayoutEntry& entry) {
  if (Tag::Parse(entry.tag).ok()) return entry.tag;
  std::string tag = ParseImageName(entry.tag).reference;
  return Tag::Parse(tag).ok() ? tag : "";
}

// Whether the entry is an image: not a referrer, nor what has a tag made from the digest of another manifest.
bool IsImage(const LayoutEntry& entry) {
  const std::string tag = TagOf(entry);
  return !tag.empty() && !absl::StartsWith(tag, "sha256-") && !absl::StartsWith(tag, "sha512-");
}

class Import {
 public:
  Import(const RepositoryImport::Image& image, LayoutReader* layout, ContentClient* registry, ImageTransfer* transfer,
         const std::function<void()>& show)
      : image_(image), layout_(*layout), registry_(*registry), transfer_(*transfer), show_(show) {}

  absl::Status Run() {
    const Digest& root = image_.entry.digest;
    transfer_.digest = root.ToString();
    RETURN_IF_ERROR(Examine(root, image_.entry.media_type, 0));
    for (const upstream::ImageBlob& blob : blobs_) RETURN_IF_ERROR(SendBlob(blob));
    for (const Manifest& manifest : manifests_) {
      const bool takes_tag = manifest.digest == root && !image_.tag.empty();
      RETURN_IF_ERROR(takes_tag ? Put(manifest, image_.tag) : SendManifest(manifest));
    }
    return absl::OkStatus();
  }

 private:
  struct Manifest {
    Digest digest;
    std::string media_type;
    bool is_index;
  };

  // Collects the manifests, each after its children, and their blobs.
  absl::Status Examine(const Digest& digest, const std::string& media_type, int depth) {
    if (depth > kDepthMax) {
      return absl::FailedPreconditionError(absl::StrCat("more than ", kDepthMax, " indexes are within one another"));
    }
    ASSIGN_OR_RETURN(const std::string content, layout_.ReadManifest(digest));
    auto parts = upstream::ParseImageParts(content);
    if (!parts.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the manifest ", digest.ToString(), ": ", parts.status().message()));
    }
    seen_.insert(digest);
    for (const upstream::ImageChild& child : parts->children) {
      if (seen_.count(child.digest) > 0) continue;
      const absl::Status status = Examine(child.digest, "", depth + 1);
      if (!absl::IsNotFound(status)) {
        RETURN_IF_ERROR(status);
        continue;
      }
      seen_.insert(child.digest);
      ASSIGN_OR_RETURN(const bool is_there, registry_.HasManifest(child.digest));
      if (!is_there) transfer_.absent.push_back(child.digest.ToString());
    }
    for (const upstream::ImageBlob& blob : parts->blobs) {
      if (!blob_digests_.insert(blob.digest).second) continue;
      blobs_.push_back(blob);
      transfer_.bytes += blob.size_bytes;
    }
    manifests_.push_back({digest, MediaTypeOfManifest(content, media_type), !parts->children.empty()});
    transfer_.manifests = manifests_.size();
    transfer_.blobs = blobs_.size();
    if (seen_.size() > kTransferredManifestsMax || blobs_.size() > kTransferredBlobsMax) {
      return absl::FailedPreconditionError(absl::StrCat("the image has more than ", kTransferredManifestsMax,
                                                        " manifests or ", kTransferredBlobsMax, " blobs"));
    }
    show_();
    return absl::OkStatus();
  }

  absl::Status SendBlob(const upstream::ImageBlob& blob) {
    const absl::StatusOr<uint64_t> there = registry_.BlobSize(blob.digest);
    if (there.ok()) {
      ++transfer_.blobs_there;
      transfer_.CountBlob(blob.size_bytes, 0, *there);
      show_();
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(there.status())) return there.status();
    const absl::StatusOr<uint64_t> size_bytes = layout_.BlobSize(blob.digest);
    if (absl::IsNotFound(size_bytes.status())) {
      return absl::FailedPreconditionError(absl::StrCat("neither the layout nor the repository ",
                                                        registry_.repository().ToString(), " has the blob ",
                                                        blob.digest.ToString()));
    }
    RETURN_IF_ERROR(size_bytes.status());
    const uint64_t before = transfer_.bytes_done;
    const auto read = [&](uint64_t offset, size_t length) { return layout_.ReadBlob(blob.digest, offset, length); };
    const auto sent = [&](uint64_t bytes) {
      transfer_.bytes_done = before + bytes;
      show_();
    };
    const absl::Status status = registry_.PutBlob(blob.digest, *size_bytes, read, sent);
    if (absl::IsDataLoss(status)) {
      return absl::DataLossError(absl::StrCat("the layout is damaged: ", status.message()));
    }
    RETURN_IF_ERROR(status);
    transfer_.CountBlob(blob.size_bytes, *size_bytes, *size_bytes);
    show_();
    return absl::OkStatus();
  }

  absl::Status SendManifest(const Manifest& manifest) {
    ASSIGN_OR_RETURN(const bool is_there, registry_.HasManifest(manifest.digest));
    return is_there ? absl::OkStatus() : Put(manifest, manifest.digest.ToString());
  }

  absl::Status Put(const Manifest& manifest, const std::string& reference) {
    ASSIGN_OR_RETURN(const std::string content, layout_.ReadManifest(manifest.digest));
    absl::Status status = registry_.PutManifest(reference, manifest.media_type, content);
    if (status.ok() || !manifest.is_index || transfer_.absent.empty()) return status;
    return absl::Status(status.code(), absl::StrCat(status.message(),
                                                    "; the layout has not all manifests of this index: export all "
                                                    "platforms, or add the repository to incomplete_manifests of "
                                                    "the policy with allow: [absent_children]"));
  }

  const RepositoryImport::Image& image_;
  LayoutReader& layout_;
  ContentClient& registry_;
  ImageTransfer& transfer_;
  const std::function<void()>& show_;
  std::set<Digest> seen_;
  std::vector<Manifest> manifests_;
  std::set<Digest> blob_digests_;
  std::vector<upstream::ImageBlob> blobs_;
};

}  // namespace

absl::StatusOr<std::vector<RepositoryImport>> PlanImport(const std::vector<LayoutEntry>& entries,
                                                         const std::string& repository, const std::string& tag) {
  if (!tag.empty()) {
    RETURN_IF_ERROR(Tag::Parse(tag).status());
    size_t images = 0;
    for (const LayoutEntry& entry : entries) images += IsImage(entry) || entries.size() == 1 ? 1 : 0;
    if (images != 1) {
      return absl::InvalidArgumentError(absl::StrCat("the layout has ", images, " images with tags, so ",
                                                     QuotedInput(tag),
                                                     " cannot be the tag of one: name the repository without a tag"));
    }
  }
  std::vector<RepositoryImport> plan;
  std::map<std::string, size_t> places;
  for (const LayoutEntry& entry : entries) {
    const std::string& target = repository.empty() ? entry.repository : repository;
    if (target.empty()) {
      return absl::InvalidArgumentError(
          "the layout does not name the repositories of its images: name one behind the layout");
    }
    RETURN_IF_ERROR(RepositoryName::Parse(target).status());
    const auto [place, is_new] = places.emplace(target, plan.size());
    if (is_new) plan.push_back({.repository = target, .images = {}});
    const bool takes_tag = !tag.empty() && (IsImage(entry) || entries.size() == 1);
    plan[place->second].images.push_back({entry, takes_tag ? tag : TagOf(entry)});
  }
  return plan;
}

absl::Status ImportImage(const RepositoryImport::Image& image, LayoutReader* layout, ContentClient* registry,
                         ImageTransfer* transfer, const std::function<void()>& show) {
  return Import(image, layout, registry, transfer, show).Run();
}

}  // namespace entrepot::ctl
