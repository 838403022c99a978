#include "services/ctl/transfer/image_export.h"

#include <cstdint>
#include <list>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/digest.h"
#include "services/ctl/transfer/manifest_type.h"
#include "services/status/status_macros.h"
#include "services/upstream/management/image_parts.h"

namespace entrepot::ctl {
namespace {

// What cosign adds to the tag made from a digest.
constexpr const char* kCosignSuffixes[] = {"sig", "att", "sbom"};

class Export {
 public:
  Export(const ImageToExport& image, ContentClient* registry, LayoutWriter* layout, ImageTransfer* transfer,
         const std::function<void()>& show)
      : image_(image), registry_(*registry), layout_(*layout), transfer_(*transfer), show_(show) {}

  absl::StatusOr<std::vector<LayoutEntry>> Run() {
    ASSIGN_OR_RETURN(ContentManifest root, registry_.GetManifest(image_.reference));
    transfer_.digest = root.digest.ToString();
    const bool by_tag = !Digest::Parse(image_.reference).ok();
    seen_.insert(root.digest);
    RETURN_IF_ERROR(Take(root, by_tag ? image_.reference : "", /*is_entry=*/true, /*is_root=*/true));
    while (!waiting_.empty()) {
      const Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      absl::StatusOr<ContentManifest> manifest = registry_.GetManifest(next.digest.ToString());
      if (absl::IsNotFound(manifest.status())) {
        transfer_.absent.push_back(next.digest.ToString());
        continue;
      }
      RETURN_IF_ERROR(manifest.status());
      RETURN_IF_ERROR(Take(*manifest, next.tag, next.is_referrer, /*is_root=*/false));
    }
    for (const upstream::ImageBlob& blob : blobs_) RETURN_IF_ERROR(TakeBlob(blob));
    return std::move(entries_);
  }

 private:
  struct Waiting {
    Digest digest;
    bool is_referrer;
    std::string tag;
  };

  // `is_entry`: the index of the layout names it.
  absl::Status Take(const ContentManifest& manifest, const std::string& tag, bool is_entry, bool is_root) {
    auto parts = upstream::ParseImageParts(manifest.content);
    if (!parts.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the manifest ", manifest.digest.ToString(), ": ", parts.status().message()));
    }
    ASSIGN_OR_RETURN(const std::vector<Digest> children, upstream::WantedChildren(*parts, image_.platforms, is_root));
    RETURN_IF_ERROR(WriteWholeBlob(&layout_, manifest.digest, manifest.content));
    if (is_entry) {
      entries_.push_back({.media_type = MediaTypeOfManifest(manifest.content, manifest.media_type),
                          .digest = manifest.digest,
                          .size_bytes = manifest.content.size(),
                          .tag = tag,
                          .repository = registry_.repository().ToString(),
                          .artifact_type = is_root ? "" : ArtifactTypeOfManifest(manifest.content)});
    }
    ++transfer_.manifests;
    for (const Digest& child : children) {
      if (seen_.insert(child).second) waiting_.push_back({child, /*is_referrer=*/false, ""});
    }
    for (const upstream::ImageBlob& blob : parts->blobs) {
      if (!blob_digests_.insert(blob.digest).second) continue;
      blobs_.push_back(blob);
      transfer_.bytes += blob.size_bytes;
    }
    transfer_.blobs = blobs_.size();
    if (seen_.size() > kTransferredManifestsMax || blobs_.size() > kTransferredBlobsMax) {
      return absl::FailedPreconditionError(absl::StrCat("the image has more than ", kTransferredManifestsMax,
                                                        " manifests or ", kTransferredBlobsMax, " blobs"));
    }
    show_();
    return image_.with_referrers ? FindReferrers(manifest.digest) : absl::OkStatus();
  }

  absl::Status FindReferrers(const Digest& subject) {
    ASSIGN_OR_RETURN(const std::vector<Digest> referrers, registry_.ListReferrers(subject));
    for (const Digest& referrer : referrers) {
      if (seen_.insert(referrer).second) waiting_.push_back({referrer, /*is_referrer=*/true, ""});
    }
    for (const char* const suffix : kCosignSuffixes) {
      const std::string tag = absl::StrCat(DigestAlgorithmName(subject.algorithm()), "-", subject.hex(), ".", suffix);
      const absl::StatusOr<ContentManifest> found = registry_.GetManifest(tag);
      if (absl::IsNotFound(found.status())) continue;
      RETURN_IF_ERROR(found.status());
      if (seen_.insert(found->digest).second) waiting_.push_back({found->digest, /*is_referrer=*/true, tag});
    }
    return absl::OkStatus();
  }

  absl::Status TakeBlob(const upstream::ImageBlob& blob) {
    ASSIGN_OR_RETURN(const bool has, layout_.Has(blob.digest));
    if (has) {
      ++transfer_.blobs_there;
      transfer_.CountBlob(blob.size_bytes, 0, blob.size_bytes);
      show_();
      return absl::OkStatus();
    }
    // What the manifest states may be wrong.
    ASSIGN_OR_RETURN(const uint64_t size_bytes, registry_.BlobSize(blob.digest));
    absl::Status status = Fetch(blob, size_bytes);
    // Perhaps what an earlier run has written of it was damaged.
    if (absl::IsDataLoss(status)) status = Fetch(blob, size_bytes);
    return status;
  }

  absl::Status Fetch(const upstream::ImageBlob& blob, uint64_t size_bytes) {
    ASSIGN_OR_RETURN(const uint64_t written, layout_.BeginBlob(blob.digest, size_bytes));
    const uint64_t before = transfer_.bytes_done;
    transfer_.bytes_done += written;
    absl::Status status =
        registry_.GetBlob(blob.digest, size_bytes, written, [&](absl::string_view bytes) -> absl::Status {
          RETURN_IF_ERROR(layout_.Append(bytes));
          transfer_.bytes_done += bytes.size();
          show_();
          return absl::OkStatus();
        });
    if (status.ok()) status = layout_.EndBlob();
    if (!status.ok()) {
      transfer_.bytes_done = before;
      return status;
    }
    transfer_.CountBlob(blob.size_bytes, size_bytes, size_bytes);
    show_();
    return absl::OkStatus();
  }

  const ImageToExport& image_;
  ContentClient& registry_;
  LayoutWriter& layout_;
  ImageTransfer& transfer_;
  const std::function<void()>& show_;
  std::set<Digest> seen_;
  std::list<Waiting> waiting_;
  std::set<Digest> blob_digests_;
  std::vector<upstream::ImageBlob> blobs_;
  std::vector<LayoutEntry> entries_;
};

}  // namespace

absl::StatusOr<std::vector<LayoutEntry>> ExportImage(const ImageToExport& image, ContentClient* registry,
                                                     LayoutWriter* layout, ImageTransfer* transfer,
                                                     const std::function<void()>& show) {
  return Export(image, registry, layout, transfer, show).Run();
}

}  // namespace entrepot::ctl
