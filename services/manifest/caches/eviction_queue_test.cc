#include "services/manifest/caches/eviction_queue.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using Result = absl::StatusOr<types::v1::CacheEviction>;

RoomRequest Of(const std::string& upstream) {
  RoomRequest request;
  request.upstream = upstream;
  return request;
}

TEST(EvictionQueueTest, RunsOneRequestAfterAnother) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  EvictionQueue queue([&](const RoomRequest& request) -> Result {
    most = std::max(most.load(), ++running);
    types::v1::CacheEviction eviction;
    eviction.set_freed_bytes(request.upstream.size());
    --running;
    return eviction;
  });
  absl::BlockingCounter left(20);
  std::atomic<uint64_t> freed{0};
  for (int i = 0; i < 20; ++i) {
    queue.Add(Of("upstream"), [&](Result result) {
      freed += result->freed_bytes();
      left.DecrementCount();
    });
  }
  left.Wait();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(freed, 20u * 8);
}

TEST(EvictionQueueTest, RefusesMoreThanItsBoundAndCancelsWhatWaits) {
  absl::Notification begun;
  absl::Notification end;
  auto queue = std::make_unique<EvictionQueue>([&](const RoomRequest&) -> Result {
    if (!begun.HasBeenNotified()) begun.Notify();
    end.WaitForNotification();
    return types::v1::CacheEviction();
  });
  std::atomic<int> done{0};
  std::atomic<int> cancelled{0};
  const auto count = [&](const Result& result) { ++(absl::IsCancelled(result.status()) ? cancelled : done); };
  for (size_t i = 0; i < EvictionQueue::kRequestsMax; ++i) queue->Add(Of("up"), count);
  begun.WaitForNotification();
  absl::Status refused;
  queue->Add(Of("up"), [&](const Result& result) { refused = result.status(); });
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  queue->Stop();
  absl::Status late;
  queue->Add(Of("up"), [&](const Result& result) { late = result.status(); });
  EXPECT_TRUE(absl::IsCancelled(late)) << late;
  end.Notify();
  queue.reset();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(cancelled, static_cast<int>(EvictionQueue::kRequestsMax) - 1);
}

}  // namespace
}  // namespace entrepot::manifest
