#include "gateway/backends/testing/scripted_cache.h"

#include <fcntl.h>

#include <algorithm>
#include <fstream>

#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {

using upstream::FetchReader;

class ScriptedReader : public FetchReader {
 public:
  explicit ScriptedReader(std::shared_ptr<ScriptedFetch> fetch) : fetch_(std::move(fetch)) {}

  void WhenReadable(uint64_t offset_bytes, std::function<void()> ready) override {
    Await(
        [fetch = fetch_.get(), offset_bytes]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return fetch->bytes_.size() > offset_bytes || !fetch->status_.ok() || fetch->stored_;
        },
        std::move(ready));
  }

  absl::StatusOr<size_t> Read(uint64_t offset_bytes, char* data, size_t size) override {
    absl::MutexLock lock(&fetch_->mutex_);
    RETURN_IF_ERROR(fetch_->status_);
    if (offset_bytes >= fetch_->bytes_.size()) return 0;
    return fetch_->bytes_.copy(data, size, offset_bytes);
  }

  absl::StatusOr<std::optional<upstream::FilePart>> ReadableFile(uint64_t offset_bytes) override {
    absl::MutexLock lock(&fetch_->mutex_);
    RETURN_IF_ERROR(fetch_->status_);
    if (fetch_->path_.empty() || offset_bytes >= fetch_->bytes_.size()) return std::nullopt;
    OwnedFd file(open(fetch_->path_.c_str(), O_RDONLY | O_CLOEXEC));
    return upstream::FilePart{.file = std::move(file), .length_bytes = fetch_->bytes_.size() - offset_bytes};
  }

  std::optional<uint64_t> size_bytes() const override {
    absl::MutexLock lock(&fetch_->mutex_);
    return fetch_->size_bytes_;
  }

  void WhenSizeKnown(std::function<void()> ready) override {
    Await([fetch = fetch_.get()]()
              ABSL_NO_THREAD_SAFETY_ANALYSIS { return fetch->size_bytes_.has_value() || !fetch->status_.ok(); },
          std::move(ready));
  }

  absl::Status status() const override {
    absl::MutexLock lock(&fetch_->mutex_);
    return fetch_->status_;
  }

  bool stored() const override {
    absl::MutexLock lock(&fetch_->mutex_);
    return fetch_->stored_;
  }

 private:
  void Await(std::function<bool()> is_due, std::function<void()> ready) {
    fetch_->Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      fetch_->waiters_.push_back({std::move(is_due), std::move(ready)});
    });
  }

  const std::shared_ptr<ScriptedFetch> fetch_;
};

// Changes the fetch, then calls the functions whose time has come, without the lock.
template <typename Change>
void ScriptedFetch::Do(Change change) {
  std::vector<Waiter> due;
  {
    absl::MutexLock lock(&mutex_);
    change();
    const auto first = std::stable_partition(waiters_.begin(), waiters_.end(), [](Waiter& w) { return !w.is_due(); });
    due.assign(std::make_move_iterator(first), std::make_move_iterator(waiters_.end()));
    waiters_.erase(first, waiters_.end());
  }
  for (const Waiter& waiter : due) waiter.ready();
}

void ScriptedFetch::Answer(uint64_t size_bytes) {
  Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { size_bytes_ = size_bytes; });
}

void ScriptedFetch::Arrive(absl::string_view bytes) {
  Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    bytes_.append(bytes.data(), bytes.size());
    if (!path_.empty()) std::ofstream(path_, std::ios::app) << bytes;
  });
}

void ScriptedFetch::KeepIn(const std::string& path) {
  Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    path_ = path;
    std::ofstream(path_) << bytes_;
  });
}

void ScriptedFetch::Fail(const absl::Status& status) {
  Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { status_ = status; });
}

void ScriptedFetch::Finish() {
  Do([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    size_bytes_ = bytes_.size();
    stored_ = true;
  });
}

std::unique_ptr<FetchReader> ScriptedFetch::Open() { return std::make_unique<ScriptedReader>(shared_from_this()); }

size_t ScriptedFetch::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiters_.size();
}

absl::StatusOr<ResolvedManifest> ScriptedCache::ResolveManifest(const RepositoryName& repository,
                                                                const Reference& reference, bool metadata_only) {
  RETURN_IF_ERROR(failure);
  const auto found = manifests.find({repository.ToString(), ReferenceToString(reference)});
  if (found == manifests.end()) return OciError(OciErrorCode::kManifestUnknown, "no such manifest");
  ResolvedManifest manifest = found->second;
  manifest.stored = manifest.stored || !metadata_only;
  return manifest;
}

std::optional<RecalledTag> ScriptedCache::RecallTag(const RepositoryName& repository, const Tag& tag) {
  const auto found = manifests.find({repository.ToString(), tag.ToString()});
  if (found == manifests.end() || found->second.valid_for <= absl::ZeroDuration()) return std::nullopt;
  return RecalledTag{
      .digest = found->second.digest, .stale_reason = found->second.stale_reason, .age = found->second.age};
}

void ScriptedCache::CountRecalled(const RepositoryName&, const RecalledCount& count) {
  recalled.fresh += count.fresh;
  recalled.stale += count.stale;
}

absl::StatusOr<upstream::v1::FindUpstreamBlobResponse> ScriptedCache::FindBlob(const RepositoryName&,
                                                                               const Digest& digest,
                                                                               const std::string& requester) {
  client = requester;
  RETURN_IF_ERROR(failure);
  upstream::v1::FindUpstreamBlobResponse response;
  const auto stored = stored_blobs.find(digest.ToString());
  if (stored != stored_blobs.end()) {
    response.set_stored(true);
    response.set_size_bytes(stored->second);
    return response;
  }
  const auto fetch = fetches.find(digest.ToString());
  if (fetch == fetches.end()) return OciError(OciErrorCode::kBlobUnknown, "no such blob");
  response.set_size_bytes(fetch->second->Open()->size_bytes().value_or(0));
  return response;
}

absl::StatusOr<std::variant<upstream::StoredBlob, std::unique_ptr<FetchReader>>> ScriptedCache::OpenBlob(
    const RepositoryName&, const Digest& digest, const std::string& requester) {
  client = requester;
  RETURN_IF_ERROR(failure);
  const auto stored = stored_blobs.find(digest.ToString());
  if (stored != stored_blobs.end()) return upstream::StoredBlob{stored->second};
  const auto fetch = fetches.find(digest.ToString());
  if (fetch == fetches.end()) return OciError(OciErrorCode::kBlobUnknown, "no such blob");
  return fetch->second->Open();
}

absl::StatusOr<TagPage> ScriptedCache::ListTags(const RepositoryName&, size_t limit, absl::string_view last) {
  RETURN_IF_ERROR(failure);
  TagPage page;
  for (const std::string& tag : tags) {
    if (tag <= last) continue;
    page.more = page.tags.size() == limit;
    if (page.more) break;
    page.tags.push_back(tag);
  }
  return page;
}

absl::StatusOr<std::vector<Referrer>> ScriptedCache::ListReferrers(const RepositoryName&, const Digest&) {
  RETURN_IF_ERROR(failure);
  return referrers;
}

upstream::v1::UpstreamList ScriptedCache::Status() const { return {}; }

void ScriptedCache::Stop() {
  for (const auto& [digest, fetch] : fetches) fetch->Fail(absl::CancelledError("the registry stops"));
}

}  // namespace entrepot::gateway
