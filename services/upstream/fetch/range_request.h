#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_RANGE_REQUEST_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_RANGE_REQUEST_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// Bytes from the middle of a blob, by a request to the upstream of their own, for one reader. They are neither verified
// nor stored. If the reader is slow, the request waits, but not for long: it has one of the upstream's connections.
// Thread-safe.
class RangeRequest {
 public:
  // The most bytes that wait for the reader.
  static constexpr size_t kWindowBytes = 1 << 20;

  struct Range {
    std::shared_ptr<UpstreamRegistry> upstream;
    std::string name_at_upstream;
    Digest digest;
    uint64_t offset_bytes = 0;
    uint64_t end_bytes = 0;  // More than the offset.
  };
  // The request ends if there is no room for its bytes for `patience`.
  explicit RangeRequest(Range range, std::chrono::milliseconds patience = std::chrono::seconds(10))
      : range_(std::move(range)), patience_(patience), offset_bytes_(range_.offset_bytes) {}

  // Sends the request and takes its bytes. Blocks until it ends, by its last byte, Cancel() or a failure.
  void Run();
  // Ends Run() as soon as the upstream sends something, and all waits for bytes without a call.
  void Cancel();

  // Calls `ready` once, on any thread, perhaps before this returns: as soon as there are bytes. Never, if none come. A
  // second call replaces the first.
  void WhenReadable(std::function<void()> ready);
  // Up to `size` bytes from the offset; 0 if they may still come. nullopt: they will not. Each byte is read once, in
  // order.
  std::optional<size_t> Read(uint64_t offset_bytes, char* data, size_t size);

 private:
  absl::Status OnHead(const UpstreamBlobHead& head);
  absl::Status OnBytes(absl::string_view bytes);

  const Range range_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable has_room_;
  // Guarded by mutex_, as all below.
  uint64_t offset_bytes_;  // Of the first byte in bytes_.
  std::string bytes_;
  bool cancelled_ = false;
  bool ended_ = false;
  std::function<void()> ready_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_RANGE_REQUEST_H_
