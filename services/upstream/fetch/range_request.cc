#include "services/upstream/fetch/range_request.h"

#include <algorithm>
#include <utility>

namespace entrepot::upstream {
namespace {

// Ends the upstream's answer; nobody gets it.
absl::Status Enough() { return absl::CancelledError("the range is read"); }

}  // namespace

void RangeRequest::Run() {
  const UpstreamRegistry::BlobSink sink = {
      .on_head = [this](const UpstreamBlobHead& head) { return OnHead(head); },
      .on_bytes = [this](absl::string_view bytes) { return OnBytes(bytes); },
  };
  // If it fails, the reader waits for the fetch.
  range_.upstream->GetBlob(range_.name_at_upstream, range_.digest, range_.offset_bytes, sink).IgnoreError();
  std::function<void()> dropped;
  const std::lock_guard lock(mutex_);
  ended_ = true;
  dropped = std::move(ready_);
  ready_ = nullptr;
}

absl::Status RangeRequest::OnHead(const UpstreamBlobHead& head) {
  // If the upstream ignores ranges, its bytes come no earlier than those of the fetch.
  if (head.offset_bytes != range_.offset_bytes) return Enough();
  const std::lock_guard lock(mutex_);
  return cancelled_ ? Enough() : absl::OkStatus();
}

absl::Status RangeRequest::OnBytes(absl::string_view bytes) {
  while (!bytes.empty()) {
    std::function<void()> ready;
    {
      std::unique_lock lock(mutex_);
      const auto may_go_on = [this] { return cancelled_ || bytes_.size() < kWindowBytes; };
      if (!has_room_.wait_for(lock, patience_, may_go_on) || cancelled_) return Enough();
      const uint64_t left = range_.end_bytes - offset_bytes_ - bytes_.size();
      if (left == 0) return Enough();
      const size_t count = std::min<uint64_t>({bytes.size(), kWindowBytes - bytes_.size(), left});
      bytes_.append(bytes.data(), count);
      bytes.remove_prefix(count);
      ready = std::exchange(ready_, nullptr);
      if (count == left) bytes = {};
    }
    if (ready) ready();
  }
  const std::lock_guard lock(mutex_);
  return offset_bytes_ + bytes_.size() == range_.end_bytes ? Enough() : absl::OkStatus();
}

void RangeRequest::Cancel() {
  std::function<void()> dropped;
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  dropped = std::exchange(ready_, nullptr);
  has_room_.notify_all();
}

void RangeRequest::WhenReadable(std::function<void()> ready) {
  std::function<void()> replaced;
  {
    const std::lock_guard lock(mutex_);
    replaced = std::exchange(ready_, nullptr);
    if (bytes_.empty()) {
      if (!ended_ && !cancelled_) ready_ = std::move(ready);
      return;
    }
  }
  ready();
}

std::optional<size_t> RangeRequest::Read(uint64_t offset_bytes, char* data, size_t size) {
  const std::lock_guard lock(mutex_);
  if (offset_bytes != offset_bytes_ || offset_bytes >= range_.end_bytes) return std::nullopt;
  if (bytes_.empty() && (ended_ || cancelled_)) return std::nullopt;
  const size_t count = bytes_.copy(data, size);
  bytes_.erase(0, count);
  offset_bytes_ += count;
  has_room_.notify_all();
  return count;
}

}  // namespace entrepot::upstream
