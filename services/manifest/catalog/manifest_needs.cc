#include "services/manifest/catalog/manifest_needs.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using kv::LockMode;
using storage::v1::BlobRecord;
using storage::v1::ManifestRecord;

// An error's detail travels in gRPC's trailers, which are small.
constexpr size_t kDetailBytesMax = 4000;

// The content of one need.
struct Content {
  uint64_t size_bytes = 0;
  bool is_manifest = false;
};

absl::StatusOr<std::optional<Content>> FindManifest(kv::KvReader& kv, const RepositoryName& repository,
                                                    const Digest& digest) {
  ASSIGN_OR_RETURN(const std::optional<ManifestRecord> record,
                   kv::ReadRecord<ManifestRecord>(kv, keys::Manifest(repository, digest)));
  if (!record.has_value()) return std::nullopt;
  return Content{.size_bytes = record->content().size(), .is_manifest = true};
}

// Finds the blobs of all needs in one read; nullopt for each need that the repository does not have as a blob.
absl::StatusOr<std::vector<std::optional<Content>>> FindBlobs(kv::KvReader& kv, const RepositoryName& repository,
                                                              const std::vector<ManifestNeed>& needs) {
  std::vector<std::string> wanted;
  wanted.reserve(2 * needs.size());
  for (const ManifestNeed& need : needs) {
    wanted.push_back(keys::Blob(need.digest));
    wanted.push_back(keys::Link(need.digest, repository));
  }
  ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> found, kv.MultiGet(wanted));
  std::vector<std::optional<Content>> blobs(needs.size());
  for (size_t i = 0; i < needs.size(); ++i) {
    if (!found[2 * i].has_value() || !found[2 * i + 1].has_value()) continue;
    ASSIGN_OR_RETURN(const BlobRecord record, kv::ParseRecord<BlobRecord>(wanted[2 * i], *found[2 * i]));
    if (record.state() != BlobRecord::LIVE) continue;
    blobs[i] = Content{.size_bytes = record.size_bytes(), .is_manifest = false};
  }
  return blobs;
}

// The list of missing needs for an error's detail, as many as fit.
class MissingList {
 public:
  void Add(const ManifestNeed& need) {
    ++count_;
    has_child_ |= need.kind == NeedKind::kChild;
    if (text_.size() >= kDetailBytesMax) return;
    ++named_;
    absl::StrAppend(&text_, text_.empty() ? "" : ", ", need.field, " ", need.digest.ToString());
  }

  absl::Status ToStatus(const RepositoryName& repository) const {
    if (count_ == 0) return absl::OkStatus();
    // Layers are not mentioned, though the policy can allow their absence: most often the push is simply not complete.
    const std::string rest = named_ < count_ ? absl::StrCat(", and ", count_ - named_, " more") : "";
    return OciError(OciErrorCode::kManifestBlobUnknown,
                    absl::StrCat(repository.ToString(), " lacks ", count_,
                                 " of the blobs and manifests that the manifest refers to",
                                 has_child_ ? "; incomplete_manifests in the policy file can allow that" : ""),
                    absl::StrCat(text_, rest));
  }

 private:
  size_t count_ = 0;
  size_t named_ = 0;
  bool has_child_ = false;
  std::string text_;
};

bool MayBeAbsent(const ManifestNeed& need, const policy::Tolerance& tolerance) {
  if (need.may_be_missing) return true;
  switch (need.kind) {
    case NeedKind::kConfig:
      return tolerance.absent_configs;
    case NeedKind::kLayer:
      return tolerance.absent_layers;
    case NeedKind::kChild:
      return tolerance.absent_children;
  }
  return false;
}

bool SizeFits(const ManifestNeed& need, const Content& content, const policy::Tolerance& tolerance) {
  if (need.size_bytes == content.size_bytes) return true;
  return content.is_manifest ? tolerance.wrong_child_sizes : tolerance.wrong_blob_sizes;
}

absl::Status WrongSize(const ManifestNeed& need, uint64_t size_bytes) {
  return OciError(OciErrorCode::kSizeInvalid,
                  absl::StrCat(need.field, ".size is ", need.size_bytes, ", but ", need.digest.ToString(), " has ",
                               size_bytes, " bytes"),
                  absl::StrCat(need.field, ".size"));
}

}  // namespace

void LockNeeds(const RepositoryName& repository, const ValidManifest& manifest, NeedLocks need_locks,
               CatalogLocks* locks) {
  for (const ManifestNeed& need : manifest.needs) {
    locks->Blob(need.digest, LockMode::kShared);
    if (need_locks == NeedLocks::kContentAndLinks) locks->Link(need.digest, repository, LockMode::kShared);
    if (manifest.kind == ManifestKind::kIndex) locks->Manifest(repository, need.digest, LockMode::kShared);
  }
}

absl::StatusOr<std::vector<FoundNeed>> FindNeeds(kv::KvReader& kv, const RepositoryName& repository,
                                                 const ValidManifest& manifest, const policy::Tolerance& tolerance) {
  ASSIGN_OR_RETURN(std::vector<std::optional<Content>> contents, FindBlobs(kv, repository, manifest.needs));
  MissingList missing;
  absl::Status wrong_size;
  std::vector<FoundNeed> found;
  for (size_t i = 0; i < manifest.needs.size(); ++i) {
    const ManifestNeed& need = manifest.needs[i];
    std::optional<Content> content = contents[i];
    if (manifest.kind == ManifestKind::kIndex) {
      ASSIGN_OR_RETURN(const std::optional<Content> child, FindManifest(kv, repository, need.digest));
      if (child.has_value()) content = child;
    }
    if (!content.has_value()) {
      if (!MayBeAbsent(need, tolerance)) missing.Add(need);
      found.push_back({.digest = need.digest, .is_manifest = need.kind == NeedKind::kChild, .is_absent = true});
      continue;
    }
    if (!SizeFits(need, *content, tolerance)) wrong_size.Update(WrongSize(need, content->size_bytes));
    found.push_back({.digest = need.digest, .is_manifest = content->is_manifest});
  }
  RETURN_IF_ERROR(missing.ToStatus(repository));
  RETURN_IF_ERROR(wrong_size);
  return found;
}

}  // namespace entrepot::manifest
