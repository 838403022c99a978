#include "services/upstream/testing/fake_cache_store.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "services/core/digester.h"
#include "services/core/storage_key.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {

class FakeCacheStore::Writer : public BlobWriter {
 public:
  Writer(FakeCacheStore* store, std::string repository, std::string upstream, Digest digest)
      : store_(store), repository_(std::move(repository)), upstream_(std::move(upstream)), digest_(std::move(digest)) {}

  absl::Status Append(absl::string_view bytes) override {
    absl::MutexLock lock(&store_->mutex_);
    RETURN_IF_ERROR(store_->failure_);
    if (bytes_.size() + bytes.size() > store_->append_bytes_max_) return store_->append_failure_;
    absl::StrAppend(&bytes_, bytes);
    return absl::OkStatus();
  }

  absl::Status Commit() override {
    absl::MutexLock lock(&store_->mutex_);
    ++store_->commits_waiting_;
    const auto allowed = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(store_->mutex_) { return !store_->commits_held_; };
    store_->mutex_.Await(absl::Condition(&allowed));
    --store_->commits_waiting_;
    RETURN_IF_ERROR(store_->failure_);
    RETURN_IF_ERROR(store_->commit_failure_);
    if (ComputeDigest(digest_.algorithm(), bytes_) != digest_) {
      return OciError(OciErrorCode::kDigestInvalid, "the bytes have another digest");
    }
    ++store_->commits_;
    store_->blobs_[{repository_, digest_.ToString()}] = std::move(bytes_);
    store_->upstreams_[repository_] = upstream_;
    return absl::OkStatus();
  }

 private:
  FakeCacheStore* const store_;
  const std::string repository_;
  const std::string upstream_;
  const Digest digest_;
  std::string bytes_;
};

absl::StatusOr<StoredManifest> FakeCacheStore::FindManifest(const RepositoryName& repository,
                                                            const Reference& reference, bool metadata_only) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(failure_);
  std::string digest = ReferenceToString(reference);
  if (std::holds_alternative<Tag>(reference)) {
    const auto tag = tags_.find({repository.ToString(), digest});
    if (tag == tags_.end()) return OciError(OciErrorCode::kManifestUnknown, "no such tag");
    digest = tag->second;
  }
  const auto found = manifests_.find({repository.ToString(), digest});
  if (found == manifests_.end()) return OciError(OciErrorCode::kManifestUnknown, "no such manifest");
  StoredManifest manifest = found->second;
  if (metadata_only) manifest.content.clear();
  return manifest;
}

absl::StatusOr<Digest> FakeCacheStore::PutManifest(const RepositoryName& repository, const std::string& upstream,
                                                   const std::string& media_type, const std::string& content,
                                                   const std::optional<Tag>& tag) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(failure_);
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, content);
  manifests_.insert_or_assign(Key(repository.ToString(), digest.ToString()),
                              StoredManifest{digest, media_type, content, content.size()});
  if (tag.has_value()) tags_[{repository.ToString(), tag->ToString()}] = digest.ToString();
  upstreams_[repository.ToString()] = upstream;
  ++manifests_put_;
  return digest;
}

absl::StatusOr<Blob> FakeCacheStore::FindBlob(const RepositoryName& repository, const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(failure_);
  const Key key(repository.ToString(), digest.ToString());
  const auto found = blobs_.find(key);
  if (found != blobs_.end()) return Blob{digest, found->second.size(), StorageKey::Random(StorageTier::kFile)};
  for (const auto& [other, bytes] : blobs_) {
    if (other.second != key.second || upstreams_[other.first] != upstreams_[key.first]) continue;
    for (const auto& [manifest, stored] : manifests_) {
      if (manifest.first != key.first || stored.content.find(key.second) == std::string::npos) continue;
      const std::string copy = bytes;
      blobs_[key] = copy;
      return Blob{digest, copy.size(), StorageKey::Random(StorageTier::kFile)};
    }
  }
  return OciError(OciErrorCode::kBlobUnknown, "no such blob");
}

absl::StatusOr<std::unique_ptr<BlobWriter>> FakeCacheStore::WriteBlob(const RepositoryName& repository,
                                                                      const std::string& upstream,
                                                                      const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(failure_);
  ++writers_;
  return std::make_unique<Writer>(this, repository.ToString(), upstream, digest);
}

absl::StatusOr<bool> FakeCacheStore::ClaimFetch(const FetchClaim& claim) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(failure_);
  ++claim_calls_[claim.holder];
  std::string& holder = claims_[{claim.upstream, claim.digest.ToString()}];
  if (!holder.empty() && holder != claim.holder) return false;
  const bool granted = claim.lifetime > absl::ZeroDuration();
  holder = granted ? claim.holder : "";
  return granted;
}

absl::StatusOr<TagPage> FakeCacheStore::ListTags(const RepositoryName& repository, size_t limit,
                                                 absl::string_view last) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(failure_);
  TagPage page;
  for (auto tag = tags_.upper_bound({repository.ToString(), std::string(last)});
       tag != tags_.end() && tag->first.first == repository.ToString(); ++tag) {
    if (page.tags.size() == limit) {
      page.more = true;
      break;
    }
    page.tags.push_back(tag->first.second);
  }
  return page;
}

absl::StatusOr<types::v1::CacheEviction> FakeCacheStore::MakeRoom(const RoomRequest& request) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(failure_);
  room_requests_.push_back(request);
  return eviction_;
}

void FakeCacheStore::SetEviction(types::v1::CacheEviction eviction) {
  absl::MutexLock lock(&mutex_);
  eviction_ = std::move(eviction);
}

std::vector<RoomRequest> FakeCacheStore::room_requests() const {
  absl::MutexLock lock(&mutex_);
  return room_requests_;
}

std::optional<std::string> FakeCacheStore::BlobOf(const RepositoryName& repository, const Digest& digest) const {
  absl::MutexLock lock(&mutex_);
  const auto found = blobs_.find({repository.ToString(), digest.ToString()});
  return found == blobs_.end() ? std::nullopt : std::optional(found->second);
}

Digest FakeCacheStore::AddBlob(const RepositoryName& repository, const std::string& content) {
  absl::MutexLock lock(&mutex_);
  Digest digest = ComputeDigest(DigestAlgorithm::kSha256, content);
  blobs_[{repository.ToString(), digest.ToString()}] = content;
  return digest;
}

int FakeCacheStore::writers() const {
  absl::MutexLock lock(&mutex_);
  return writers_;
}

int FakeCacheStore::commits() const {
  absl::MutexLock lock(&mutex_);
  return commits_;
}

int FakeCacheStore::manifests_put() const {
  absl::MutexLock lock(&mutex_);
  return manifests_put_;
}

void FakeCacheStore::FailAll(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

void FakeCacheStore::FailAppends(uint64_t bytes, absl::Status status) {
  absl::MutexLock lock(&mutex_);
  append_bytes_max_ = bytes;
  append_failure_ = std::move(status);
}

void FakeCacheStore::FailCommits(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  commit_failure_ = std::move(status);
}

void FakeCacheStore::HoldCommits() {
  absl::MutexLock lock(&mutex_);
  commits_held_ = true;
}

void FakeCacheStore::AllowCommits() {
  absl::MutexLock lock(&mutex_);
  commits_held_ = false;
}

bool FakeCacheStore::commit_waits() const {
  absl::MutexLock lock(&mutex_);
  return commits_held_ && commits_waiting_ > 0;
}

std::string FakeCacheStore::ClaimHolder(const std::string& upstream, const Digest& digest) const {
  absl::MutexLock lock(&mutex_);
  const auto found = claims_.find({upstream, digest.ToString()});
  return found == claims_.end() ? "" : found->second;
}

void FakeCacheStore::EndClaims() {
  absl::MutexLock lock(&mutex_);
  claims_.clear();
}

int FakeCacheStore::claim_calls(const std::string& holder) const {
  absl::MutexLock lock(&mutex_);
  const auto found = claim_calls_.find(holder);
  return found == claim_calls_.end() ? 0 : found->second;
}

}  // namespace entrepot::upstream
