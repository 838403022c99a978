#include "gateway/http/connection_slots.h"

#include <thread>

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

TEST(ConnectionSlotsTest, LimitsOpenConnections) {
  prometheus::Gauge open;
  ConnectionSlots slots(2, &open);
  EXPECT_TRUE(slots.TryTake());
  EXPECT_TRUE(slots.TryTake());
  EXPECT_EQ(open.Value(), 2);
  EXPECT_FALSE(slots.TryTake());
  slots.Release();
  EXPECT_EQ(open.Value(), 1);
  EXPECT_TRUE(slots.TryTake());
}

TEST(ConnectionSlotsTest, CallsOnFreeOnceAfterFailedTakes) {
  prometheus::Gauge open;
  ConnectionSlots slots(1, &open);
  int calls = 0;
  slots.set_on_free([&calls] { ++calls; });
  ASSERT_TRUE(slots.TryTake());
  slots.Release();
  EXPECT_EQ(calls, 0);
  ASSERT_TRUE(slots.TryTake());
  ASSERT_FALSE(slots.TryTake());
  ASSERT_FALSE(slots.TryTake());
  slots.Release();
  EXPECT_EQ(calls, 1);
}

TEST(ConnectionSlotsTest, WaitsUntilTheLastSlotIsReleased) {
  prometheus::Gauge open;
  ConnectionSlots slots(1, &open);
  EXPECT_TRUE(slots.WaitUntilNone(absl::InfiniteFuture()));
  ASSERT_TRUE(slots.TryTake());
  EXPECT_FALSE(slots.WaitUntilNone(absl::InfinitePast()));
  std::thread other([&slots] { slots.Release(); });
  EXPECT_TRUE(slots.WaitUntilNone(absl::InfiniteFuture()));
  other.join();
}

}  // namespace
}  // namespace entrepot::gateway::http
