#include "services/upstream/management/image_pull.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "services/core/digest.h"
#include "services/status/status_macros.h"
#include "services/upstream/management/image_parts.h"

namespace entrepot::upstream {
namespace {

// How many bytes arrive between two steps of the progress. Less than what makes a reader far ahead of the fetch, for
// which the upstream would be asked by another request (fetch/ahead_reader.h).
constexpr uint64_t kStepBytes = 512 << 10;
// How often a wait looks whether it is stopped.
constexpr std::chrono::milliseconds kStopInterval{200};

// Whether one of several fetches has news. Shared with the callbacks of their readers, which may outlive the pull.
class News {
 public:
  void Set() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    changed_.notify_all();
  }
  void Take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return is_set_; });
    is_set_ = false;
  }

 private:
  // Not of absl, whose waits with a limit follow the system's clock.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_set_ = false;  // Guarded by mutex_.
};

absl::Status WithDigest(const absl::Status& status, absl::string_view what, const Digest& digest) {
  return absl::Status(status.code(), absl::StrCat(what, " ", digest.ToString(), ": ", status.message()));
}

class Pull {
 public:
  Pull(const ImageToPull& image, ImageSource* images, CacheStore* store, StopSignal* stop,
       const std::function<void(const v1::ImagePull& pull)>& show)
      : image_(image), images_(*images), store_(*store), stop_(*stop), show_(show) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(const ResolvedManifest root, images_.ResolveManifest(image_.repository, image_.reference, false));
    if (!root.stale_reason.empty()) {
      return absl::UnavailableError(absl::StrCat("the upstream cannot confirm the tag: ", root.stale_reason));
    }
    shown_.set_digest(root.digest.ToString());
    RETURN_IF_ERROR(TakeManifests(root.digest));
    Show();
    return TakeBlobs();
  }

 private:
  struct Fetch {
    ImageBlob blob;
    std::unique_ptr<FetchReader> reader;
    // As far as it is counted in bytes_done.
    uint64_t done_bytes = 0;
  };

  absl::Status CheckStop() const {
    return stop_.stopped() ? absl::CancelledError("the pull was stopped") : absl::OkStatus();
  }
  void Show() { show_(shown_); }

  absl::Status TakeManifests(const Digest& root) {
    std::set<Digest> seen = {root};
    std::list<Digest> waiting = {root};
    std::set<Digest> blobs;
    for (bool is_root = true; !waiting.empty(); is_root = false) {
      RETURN_IF_ERROR(CheckStop());
      const Digest digest = std::move(waiting.front());
      waiting.pop_front();
      ASSIGN_OR_RETURN(const ImageParts parts, TakeManifest(digest, is_root));
      for (const ImageBlob& blob : parts.blobs) {
        if (!blobs.insert(blob.digest).second) continue;
        blobs_.push_back(blob);
        shown_.set_bytes(shown_.bytes() + blob.size_bytes);
      }
      ASSIGN_OR_RETURN(const std::vector<Digest> children, WantedChildren(parts, image_.platforms, is_root));
      for (const Digest& child : children) {
        if (seen.insert(child).second) waiting.push_back(child);
      }
      if (seen.size() > kPulledManifestsMax || blobs.size() > kPulledBlobsMax) {
        return absl::InvalidArgumentError(
            absl::StrCat("the image has more than ", kPulledManifestsMax, " manifests or ", kPulledBlobsMax, " blobs"));
      }
      shown_.set_manifests(shown_.manifests() + 1);
      shown_.set_blobs(static_cast<uint32_t>(blobs_.size()));
      Show();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ImageParts> TakeManifest(const Digest& digest, bool is_root) {
    if (!is_root) {
      const auto child = images_.ResolveManifest(image_.repository, digest, false);
      if (!child.ok()) return WithDigest(child.status(), "the manifest", digest);
    }
    const auto stored = store_.FindManifest(image_.repository, digest, false);
    if (!stored.ok()) return WithDigest(stored.status(), "the manifest", digest);
    auto parts = ParseImageParts(stored->content);
    if (!parts.ok()) return WithDigest(parts.status(), "the manifest", digest);
    return parts;
  }

  absl::Status TakeBlobs() {
    const auto news = std::make_shared<News>();
    std::list<Fetch> fetches;
    auto next = blobs_.begin();
    while (true) {
      RETURN_IF_ERROR(CheckStop());
      while (next != blobs_.end() && fetches.size() < kPulledAtOnce) {
        RETURN_IF_ERROR(Open(*next++, news, &fetches));
        RETURN_IF_ERROR(CheckStop());
      }
      if (fetches.empty()) return absl::OkStatus();
      news->Take(kStopInterval);
      for (auto fetch = fetches.begin(); fetch != fetches.end();) {
        ASSIGN_OR_RETURN(const bool ended, Advance(*fetch, news));
        fetch = ended ? fetches.erase(fetch) : std::next(fetch);
      }
    }
  }

  absl::Status Open(const ImageBlob& blob, const std::shared_ptr<News>& news, std::list<Fetch>* fetches) {
    auto opened = images_.OpenBlob(image_.repository, blob.digest, /*client=*/"");
    if (!opened.ok()) return WithDigest(opened.status(), "the blob", blob.digest);
    if (const StoredBlob* const stored = std::get_if<StoredBlob>(&*opened)) {
      shown_.set_blobs_here(shown_.blobs_here() + 1);
      CountDone(blob, 0, stored->size_bytes);
      return absl::OkStatus();
    }
    Fetch& fetch = fetches->emplace_back(
        Fetch{.blob = blob, .reader = std::get<std::unique_ptr<FetchReader>>(std::move(*opened))});
    Await(fetch, news);
    return absl::OkStatus();
  }

  static void Await(Fetch& fetch, const std::shared_ptr<News>& news) {
    fetch.reader->WhenReadable(fetch.done_bytes + kStepBytes - 1, [news] { news->Set(); });
  }

  // Whether the fetch has ended.
  absl::StatusOr<bool> Advance(Fetch& fetch, const std::shared_ptr<News>& news) {
    const absl::Status status = fetch.reader->status();
    if (!status.ok()) return WithDigest(status, "the blob", fetch.blob.digest);
    if (fetch.reader->stored()) {
      CountDone(fetch.blob, fetch.done_bytes, fetch.reader->size_bytes().value_or(fetch.blob.size_bytes));
      return true;
    }
    uint64_t steps = 0;
    while (IsReadable(*fetch.reader, fetch.done_bytes + kStepBytes - 1)) {
      fetch.done_bytes += kStepBytes;
      ++steps;
    }
    if (steps == 0) return false;
    shown_.set_bytes_done(shown_.bytes_done() + steps * kStepBytes);
    Show();
    Await(fetch, news);
    return false;
  }

  static bool IsReadable(FetchReader& reader, uint64_t offset_bytes) {
    char byte = 0;
    const auto read = reader.Read(offset_bytes, &byte, 1);
    return read.ok() && *read == 1;
  }

  // The blob is here with that size; `counted` bytes of it are in bytes_done.
  void CountDone(const ImageBlob& blob, uint64_t counted, uint64_t size_bytes) {
    shown_.set_blobs_done(shown_.blobs_done() + 1);
    shown_.set_bytes_done(shown_.bytes_done() - counted + size_bytes);
    // The manifest may have stated another size.
    shown_.set_bytes(shown_.bytes() - blob.size_bytes + size_bytes);
    Show();
  }

  const ImageToPull& image_;
  ImageSource& images_;
  CacheStore& store_;
  StopSignal& stop_;
  const std::function<void(const v1::ImagePull& pull)>& show_;
  v1::ImagePull shown_;
  std::vector<ImageBlob> blobs_;
};

}  // namespace

absl::Status PullImage(const ImageToPull& image, ImageSource* images, CacheStore* store, StopSignal* stop,
                       const std::function<void(const v1::ImagePull& pull)>& show) {
  return Pull(image, images, store, stop, show).Run();
}

}  // namespace entrepot::upstream
