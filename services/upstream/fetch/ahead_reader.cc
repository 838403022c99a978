#include "services/upstream/fetch/ahead_reader.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

// Calls a function at the first of several events, and not before Arm(): what it calls may end the reader, which must
// have told both sources of events first.
class FirstEvent {
 public:
  explicit FirstEvent(std::function<void()> ready) : ready_(std::move(ready)) {}

  void Happened() {
    CallIf([this] { return std::exchange(happened_, true) ? false : armed_; });
  }
  void Arm() {
    CallIf([this] { return std::exchange(armed_, true) ? false : happened_; });
  }

 private:
  template <typename Due>
  void CallIf(Due due) {
    std::function<void()> ready;
    {
      const std::lock_guard lock(mutex_);
      if (!due()) return;
      ready = std::exchange(ready_, nullptr);
    }
    ready();
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  bool happened_ = false;
  bool armed_ = false;
  std::function<void()> ready_;
};

class AheadReader final : public FetchReader {
 public:
  using Start = std::function<std::shared_ptr<RangeRequest>(uint64_t, uint64_t)>;

  AheadReader(std::shared_ptr<FetchProgress> progress, Start start)
      : progress_(std::move(progress)), fetch_(progress_->NewReader()), start_(std::move(start)) {}

  ~AheadReader() override { DropRange(); }

  void WhenReadable(uint64_t offset_bytes, std::function<void()> ready) override {
    ChooseSource(offset_bytes);
    if (range_ == nullptr) return fetch_->WhenReadable(offset_bytes, std::move(ready));
    const auto first = std::make_shared<FirstEvent>(std::move(ready));
    range_->WhenReadable([first] { first->Happened(); });
    fetch_->WhenReadable(offset_bytes, [first] { first->Happened(); });
    first->Arm();
  }

  absl::StatusOr<size_t> Read(uint64_t offset_bytes, char* data, size_t size) override {
    ASSIGN_OR_RETURN(const size_t count, fetch_->Read(offset_bytes, data, size));
    if (count > 0 || range_ == nullptr) return count;
    const std::optional<size_t> ahead = range_->Read(offset_bytes, data, size);
    if (ahead.has_value()) return *ahead;
    DropRange();
    return 0;
  }

  absl::StatusOr<std::optional<FilePart>> ReadableFile(uint64_t offset_bytes) override {
    return fetch_->ReadableFile(offset_bytes);
  }

  std::optional<uint64_t> size_bytes() const override { return fetch_->size_bytes(); }
  void WhenSizeKnown(std::function<void()> ready) override { fetch_->WhenSizeKnown(std::move(ready)); }
  absl::Status status() const override { return fetch_->status(); }
  bool stored() const override { return fetch_->stored(); }

 private:
  void ChooseSource(uint64_t offset_bytes) {
    const FetchProgress::Position at = progress_->position();
    if (range_ != nullptr) {
      if (at.ended || offset_bytes < at.readable_bytes) DropRange();
      return;
    }
    if (asked_ || at.ended || !at.size_bytes.has_value()) return;
    const uint64_t end_bytes = *at.size_bytes - std::min(*at.size_bytes, FetchProgress::kHeldBackBytes);
    if (offset_bytes >= end_bytes || offset_bytes < at.readable_bytes + kFarAheadBytes) return;
    range_ = start_(offset_bytes, end_bytes);
    asked_ = range_ != nullptr;
  }

  void DropRange() {
    if (range_ != nullptr) std::exchange(range_, nullptr)->Cancel();
  }

  const std::shared_ptr<FetchProgress> progress_;
  const std::unique_ptr<FetchReader> fetch_;
  const Start start_;
  std::shared_ptr<RangeRequest> range_;
  // Once for each reader: an upstream whose request failed would fail again.
  bool asked_ = false;
};

}  // namespace

std::unique_ptr<FetchReader> NewAheadReader(
    std::shared_ptr<FetchProgress> progress,
    std::function<std::shared_ptr<RangeRequest>(uint64_t offset_bytes, uint64_t end_bytes)> start) {
  return std::make_unique<AheadReader>(std::move(progress), std::move(start));
}

}  // namespace entrepot::upstream
