#include "services/manifest/caches/cache_evictor.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/caller.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/caches/cache_content.h"
#include "services/manifest/caches/eviction_plan.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/repository_record.h"
#include "services/manifest/records/tag_record.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::ManifestUseRecord;
using storage::v1::RepositoryRecord;
using types::v1::CacheEviction;
using types::v1::CacheRoom;

// How often images are chosen anew because rules on tags protect some of those that were chosen.
constexpr int kRoundsMax = 16;

absl::Status Changed() { return absl::FailedPreconditionError("the image was changed meanwhile"); }
absl::Status WouldBeRemoved() { return absl::CancelledError("dry run"); }

absl::Status UnknownManifest(const RepositoryName& repository, const Reference& reference) {
  return OciError(OciErrorCode::kManifestUnknown, absl::StrCat(repository.ToString(), " has no such manifest"),
                  ReferenceToString(reference));
}

// One call.
class Eviction {
 public:
  // `pulls` may be null.
  Eviction(kv::KvEngine& kv, const Clock& clock, RegistryCatalog& catalog, PullTimes* pulls, const RoomRequest& request,
           const Pace& pace)
      : kv_(kv), catalog_(catalog), pulls_(pulls), request_(request), pace_(pace), now_(clock.Now()) {}

  absl::StatusOr<CacheEviction> Run() && {
    if (request_.repository.has_value()) RETURN_IF_ERROR(CheckRepository());
    FlushPulls();
    ASSIGN_OR_RETURN(content_, ReadCacheContent(kv_, request_.upstream, pace_));
    rest_.emplace(&content_);
    *result_.mutable_before() = Room();
    ASSIGN_OR_RETURN(const std::vector<CachedImage> images, Choose());
    // What was used while the records were read stays.
    FlushPulls();
    for (const CachedImage& image : images) RETURN_IF_ERROR(Evict(image));
    *result_.mutable_after() = Room();
    result_.set_freed_bytes(result_.before().bytes() - result_.after().bytes());
    return std::move(result_);
  }

 private:
  // The times in memory are newer than those in the records. If they cannot be written, older times count.
  void FlushPulls() {
    if (pulls_ != nullptr) pulls_->Flush().IgnoreError();
  }

  bool IsNamed() const { return request_.repository.has_value(); }
  bool SparesRecent() const { return !IsNamed() && !request_.also_recent; }

  absl::Status CheckRepository() {
    ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv_, *request_.repository));
    if (IsCacheOf(record, request_.upstream)) return absl::OkStatus();
    return OciError(OciErrorCode::kNameUnknown,
                    absl::StrCat(request_.repository->ToString(), " is not a cache of ", request_.upstream));
  }

  CacheRoom Room() const {
    CacheRoom room;
    room.set_bytes(rest_->bytes());
    room.set_manifests(rest_->manifests());
    room.set_repositories(content_.repositories.size());
    *room.mutable_measured_at() = ToTimestamp(now_);
    return room;
  }

  absl::StatusOr<std::vector<CachedImage>> Choose() {
    if (request_.reference.has_value()) return Named();
    if (IsNamed()) return ImagesOfRepository();
    return LeastRecentlyUsed();
  }

  absl::StatusOr<std::vector<CachedImage>> Named() {
    std::optional<Digest> digest;
    if (const Tag* const tag = std::get_if<Tag>(&*request_.reference)) {
      ASSIGN_OR_RETURN(digest, ReadTag(kv_, *request_.repository, *tag));
    } else {
      digest = std::get<Digest>(*request_.reference);
    }
    for (uint32_t i = 0; digest.has_value() && i < content_.manifests.size(); ++i) {
      const CachedManifest& manifest = content_.manifests[i];
      if (!(manifest.digest == *digest) || !(RepositoryOf(i) == *request_.repository)) continue;
      const CachedImage image{.root = i, .used_at = manifest.used_at};
      RETURN_IF_ERROR(Delete(i, /*for_good=*/false));
      return std::vector<CachedImage>{image};
    }
    return UnknownManifest(*request_.repository, *request_.reference);
  }

  absl::StatusOr<std::vector<CachedImage>> ImagesOfRepository() {
    std::vector<CachedImage> images;
    for (const CachedImage& image : ImagesOf(content_)) {
      if (!(RepositoryOf(image.root) == *request_.repository)) continue;
      ASSIGN_OR_RETURN(const bool may, TryDelete(image.root, /*for_good=*/false));
      if (may) images.push_back(image);
    }
    return images;
  }

  absl::StatusOr<std::vector<CachedImage>> LeastRecentlyUsed() {
    if (!CacheEvictor::MayEvict(request_)) return std::vector<CachedImage>();
    const absl::Time used_until = SparesRecent() ? now_ - CacheEvictor::kRecent : absl::InfiniteFuture();
    absl::flat_hash_set<uint32_t> spared;
    absl::flat_hash_set<uint32_t> deletable;
    std::vector<CachedImage> chosen;
    for (int round = 0; round < kRoundsMax; ++round) {
      const size_t spared_before = spared.size();
      chosen = ChooseImages(content_, request_.bytes_max, used_until, spared);
      for (const CachedImage& image : chosen) {
        if (deletable.contains(image.root)) continue;
        ASSIGN_OR_RETURN(const bool may, TryDelete(image.root, /*for_good=*/false));
        (may ? deletable : spared).insert(image.root);
      }
      if (spared.size() == spared_before) return chosen;
    }
    chosen.erase(std::remove_if(chosen.begin(), chosen.end(),
                                [&](const CachedImage& image) { return spared.contains(image.root); }),
                 chosen.end());
    return chosen;
  }

  absl::Status Evict(const CachedImage& image) {
    if (!rest_->Has(image.root)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::set<Tag> tags,
                     TagsOfManifest(kv_, RepositoryOf(image.root), content_.manifests[image.root].digest));
    std::vector<uint32_t> left = {image.root};
    bool evicted = false;
    while (!left.empty()) {
      const uint32_t manifest = left.back();
      left.pop_back();
      if (!rest_->Has(manifest)) continue;
      // In a dry run the root is still in the records, so what it keeps cannot be looked at there.
      if (!request_.dry_run) {
        ASSIGN_OR_RETURN(const bool gone, TryDelete(manifest, /*for_good=*/true));
        if (!gone) continue;
      }
      evicted = true;
      for (const uint32_t other : rest_->RemoveOne(manifest)) left.push_back(other);
    }
    if (evicted) Report(image, tags);
    return absl::OkStatus();
  }

  void Report(const CachedImage& image, const std::set<Tag>& tags) {
    result_.set_image_count(result_.image_count() + 1);
    last_used_at_ = std::max(last_used_at_, image.used_at);
    *result_.mutable_last_used_at() = ToTimestamp(last_used_at_);
    if (result_.images_size() >= CacheEvictor::kShownMax) return;
    CacheEviction::Image& shown = *result_.add_images();
    shown.set_repository(RepositoryOf(image.root).ToString());
    for (const Tag& tag : tags) shown.add_tags(tag.ToString());
    shown.set_digest(content_.manifests[image.root].digest.ToString());
    *shown.mutable_used_at() = ToTimestamp(image.used_at);
  }

  // False if the manifest stays: it was used or changed meanwhile, or rules on tags protect it.
  absl::StatusOr<bool> TryDelete(uint32_t manifest, bool for_good) {
    absl::Status status = Delete(manifest, for_good);
    if (status.ok()) return true;
    if (absl::IsFailedPrecondition(status) || absl::IsNotFound(status) || absl::IsPermissionDenied(status)) {
      return false;
    }
    return status;
  }

  // Only looks whether it could be deleted if not `for_good`.
  absl::Status Delete(uint32_t manifest, bool for_good) {
    if (!pace_(1, 0)) return absl::CancelledError("stopped before the end");
    DeletionCondition condition;
    condition.check = [&](kv::KvReader& kv) -> absl::Status {
      RETURN_IF_ERROR(CheckUnchanged(kv, manifest, for_good));
      return for_good ? absl::OkStatus() : WouldBeRemoved();
    };
    absl::Status status =
        catalog_.manifests().Delete(Caller(), RepositoryOf(manifest), content_.manifests[manifest].digest, condition);
    return !for_good && status == WouldBeRemoved() ? absl::OkStatus() : status;
  }

  absl::Status CheckUnchanged(kv::KvReader& kv, uint32_t position, bool for_good) const {
    const RepositoryName& repository = RepositoryOf(position);
    const CachedManifest& manifest = content_.manifests[position];
    // It may have been deleted and pushed to since.
    ASSIGN_OR_RETURN(const std::optional<RepositoryRecord> record, ReadRepository(kv, repository));
    if (!IsCacheOf(record, request_.upstream)) return Changed();
    if (SparesRecent()) {
      ASSIGN_OR_RETURN(const auto use,
                       kv::ReadRecord<ManifestUseRecord>(kv, keys::ManifestUse(repository, manifest.digest)));
      if (use.has_value() && FromTimestamp(use->used_at()) != manifest.used_at) return Changed();
    }
    // An administrator may name what an index lists. All else must be unlisted by now.
    if (request_.reference.has_value() || !for_good) return absl::OkStatus();
    ASSIGN_OR_RETURN(
        const std::vector<kv::KeyValue> lists,
        kv.Scan({.prefix = keys::ReferencesTo(manifest.digest, repository), .start_after = "", .limit = 1}));
    return lists.empty() ? absl::OkStatus() : Changed();
  }

  const RepositoryName& RepositoryOf(uint32_t manifest) const {
    return content_.repositories[content_.manifests[manifest].repository];
  }

  kv::KvEngine& kv_;
  RegistryCatalog& catalog_;
  PullTimes* const pulls_;
  const RoomRequest& request_;
  const Pace& pace_;
  const absl::Time now_;
  CacheContent content_;
  // Without what was evicted.
  std::optional<RemainingContent> rest_;
  absl::Time last_used_at_ = absl::InfinitePast();
  CacheEviction result_;
};

}  // namespace

bool CacheEvictor::MayEvict(const RoomRequest& request) {
  return request.repository.has_value() || request.bytes_max < std::numeric_limits<uint64_t>::max();
}

absl::StatusOr<CacheEviction> CacheEvictor::MakeRoom(const RoomRequest& request, const Pace& pace) {
  if (request.upstream.empty()) return absl::InvalidArgumentError("a request for room names no upstream");
  if (request.reference.has_value() && !request.repository.has_value()) {
    return absl::InvalidArgumentError("a request for room has a reference and no repository");
  }
  return Eviction(kv_, clock_, catalog_, pulls_, request, pace).Run();
}

}  // namespace entrepot::manifest
