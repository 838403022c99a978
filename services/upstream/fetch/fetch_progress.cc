#include "services/upstream/fetch/fetch_progress.h"

#include <algorithm>

#include "services/status/status_macros.h"

namespace entrepot::upstream {

class FetchProgress::Reader : public FetchReader {
 public:
  explicit Reader(std::shared_ptr<FetchProgress> progress) : progress_(std::move(progress)) {}

  ~Reader() override {
    // Destroyed after the lock is released: they may own anything.
    Callback for_bytes;
    Callback for_size;
    absl::MutexLock lock(&progress_->mutex_);
    for_bytes = DropWaitForBytes();
    for_size = DropWaitForSize();
  }

  void WhenReadable(uint64_t offset_bytes, Callback ready) override {
    FetchProgress& progress = *progress_;
    Callback replaced;
    {
      absl::MutexLock lock(&progress.mutex_);
      replaced = DropWaitForBytes();
      if (!progress.ended_ && offset_bytes >= progress.readable_bytes_) {
        progress.waiting_for_bytes_.emplace(std::pair(offset_bytes, this), std::move(ready));
        waits_at_ = offset_bytes;
        return;
      }
    }
    ready();
  }

  absl::StatusOr<size_t> Read(uint64_t offset_bytes, char* data, size_t size) override {
    ASSIGN_OR_RETURN(const Spooled spooled, FindSpooled(offset_bytes));
    size = static_cast<size_t>(std::min<uint64_t>(size, spooled.length_bytes));
    if (size > 0) RETURN_IF_ERROR(spooled.file->Read(offset_bytes, data, size));
    return size;
  }

  absl::StatusOr<std::optional<FilePart>> ReadableFile(uint64_t offset_bytes) override {
    ASSIGN_OR_RETURN(const Spooled spooled, FindSpooled(offset_bytes));
    if (spooled.length_bytes == 0) return std::nullopt;
    ASSIGN_OR_RETURN(OwnedFd file, spooled.file->Duplicate());
    return FilePart{.file = std::move(file), .length_bytes = spooled.length_bytes};
  }

  std::optional<uint64_t> size_bytes() const override {
    absl::MutexLock lock(&progress_->mutex_);
    return progress_->size_bytes_;
  }

  void WhenSizeKnown(Callback ready) override {
    FetchProgress& progress = *progress_;
    Callback replaced;
    {
      absl::MutexLock lock(&progress.mutex_);
      replaced = DropWaitForSize();
      if (!progress.ended_ && !progress.size_bytes_.has_value()) {
        progress.waiting_for_size_.emplace(this, std::move(ready));
        return;
      }
    }
    ready();
  }

  absl::Status status() const override { return progress_->status(); }
  bool stored() const override { return progress_->stored(); }

 private:
  friend class FetchProgress;

  struct Spooled {
    const SpoolFile* file = nullptr;
    uint64_t length_bytes = 0;
  };
  // What is readable from the offset on.
  absl::StatusOr<Spooled> FindSpooled(uint64_t offset_bytes) {
    FetchProgress& progress = *progress_;
    absl::MutexLock lock(&progress.mutex_);
    RETURN_IF_ERROR(progress.status_);
    if (offset_bytes < progress.readable_bytes_) {
      return Spooled{.file = progress.spool_.get(), .length_bytes = progress.readable_bytes_ - offset_bytes};
    }
    if (progress.stored_ && offset_bytes < *progress.size_bytes_) {
      return absl::FailedPreconditionError("the blob is stored, and was not fetched");
    }
    return Spooled();
  }

  Callback DropWaitForBytes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(progress_->mutex_) {
    if (!waits_at_.has_value()) return nullptr;
    auto node = progress_->waiting_for_bytes_.extract({*waits_at_, this});
    waits_at_.reset();
    return std::move(node.mapped());
  }
  Callback DropWaitForSize() ABSL_EXCLUSIVE_LOCKS_REQUIRED(progress_->mutex_) {
    auto node = progress_->waiting_for_size_.extract(this);
    return node.empty() ? nullptr : std::move(node.mapped());
  }

  const std::shared_ptr<FetchProgress> progress_;
  // The key of its callback in waiting_for_bytes_. Guarded by the progress's mutex.
  std::optional<uint64_t> waits_at_;
};

void FetchProgress::SetSpool(std::unique_ptr<SpoolFile> spool) {
  absl::MutexLock lock(&mutex_);
  spool_ = std::move(spool);
}

void FetchProgress::SetSize(uint64_t size_bytes) {
  std::vector<Callback> due;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    size_bytes_ = size_bytes;
    due = TakeDueLocked();
  }
  CallAll(due);
}

void FetchProgress::Publish(uint64_t spooled_bytes, std::optional<uint64_t> size_bytes) {
  std::vector<Callback> due;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    if (size_bytes.has_value()) size_bytes_ = size_bytes;
    spooled_bytes_ = spooled_bytes;
    uint64_t readable = spooled_bytes - std::min<uint64_t>(spooled_bytes, 1);
    if (size_bytes_.has_value()) {
      readable = std::min(spooled_bytes, *size_bytes_ - std::min(*size_bytes_, kHeldBackBytes));
    }
    // It may shrink if the size becomes known late.
    readable_bytes_ = std::max(readable_bytes_, readable);
    due = TakeDueLocked();
  }
  CallAll(due);
}

void FetchProgress::EndStored(uint64_t size_bytes) {
  std::vector<Callback> due;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    ended_ = true;
    stored_ = true;
    size_bytes_ = size_bytes;
    readable_bytes_ = spooled_bytes_;
    due = TakeDueLocked();
  }
  CallAll(due);
}

void FetchProgress::EndFailed(absl::Status status) {
  std::vector<Callback> due;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    ended_ = true;
    status_ = std::move(status);
    due = TakeDueLocked();
  }
  CallAll(due);
}

FetchProgress::Position FetchProgress::position() const {
  absl::MutexLock lock(&mutex_);
  return {.readable_bytes = readable_bytes_, .size_bytes = size_bytes_, .ended = ended_};
}

bool FetchProgress::ended() const {
  absl::MutexLock lock(&mutex_);
  return ended_;
}

absl::Status FetchProgress::status() const {
  absl::MutexLock lock(&mutex_);
  return status_;
}

bool FetchProgress::stored() const {
  absl::MutexLock lock(&mutex_);
  return stored_;
}

std::unique_ptr<FetchReader> FetchProgress::NewReader() { return std::make_unique<Reader>(shared_from_this()); }

std::vector<FetchProgress::Callback> FetchProgress::TakeDueLocked() {
  std::vector<Callback> due;
  const auto end = ended_ ? waiting_for_bytes_.end() : waiting_for_bytes_.lower_bound({readable_bytes_, nullptr});
  for (auto waiting = waiting_for_bytes_.begin(); waiting != end; waiting = waiting_for_bytes_.erase(waiting)) {
    waiting->first.second->waits_at_.reset();
    due.push_back(std::move(waiting->second));
  }
  if (ended_ || size_bytes_.has_value()) {
    for (auto& [reader, ready] : waiting_for_size_) due.push_back(std::move(ready));
    waiting_for_size_.clear();
  }
  return due;
}

void FetchProgress::CallAll(const std::vector<Callback>& callbacks) {
  for (const Callback& ready : callbacks) ready();
}

}  // namespace entrepot::upstream
