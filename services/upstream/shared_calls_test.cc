#include "services/upstream/shared_calls.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "services/core/time/eventually.h"

namespace entrepot::upstream {
namespace {

TEST(SharedCallsTest, ThreadsThatAskTogetherShareOneCall) {
  SharedCalls<std::string> calls;
  const auto joined = calls.Join("a");
  EXPECT_TRUE(joined.is_first);
  EXPECT_TRUE(calls.Join("b").is_first);
  std::atomic<int> made{0};
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const std::string result = calls.Do("a", [&] {
        ++made;
        return std::string("another");
      });
      if (result == "one") ++answered;
    });
  }
  // Each waiting thread holds the call.
  EXPECT_TRUE(Eventually([&] { return joined.call.use_count() >= 10; }));
  calls.Finish("a", *joined.call, "one");
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 8);
  EXPECT_EQ(made, 0);
  EXPECT_EQ(calls.Do("a", [] { return std::string("two"); }), "two");
}

TEST(SharedCallsTest, GivesUpToWaitAfterThePatience) {
  SharedCalls<int> calls;
  const auto joined = calls.Join("a");
  EXPECT_FALSE(joined.call->WaitFor(std::chrono::milliseconds(1)).has_value());
  calls.Finish("a", *joined.call, 7);
  EXPECT_EQ(joined.call->WaitFor(std::chrono::nanoseconds(0)), 7);
  EXPECT_EQ(joined.call->Wait(), 7);
}

TEST(SharedCallsTest, PatienceCountsFromTheBeginOfTheCall) {
  constexpr std::chrono::milliseconds kPatience{1000};
  SharedCalls<int> calls;
  EXPECT_FALSE(calls.Join("a").call->WaitFor(kPatience).has_value());
  const auto joined_late = std::chrono::steady_clock::now();
  EXPECT_FALSE(calls.Join("a").call->WaitFor(kPatience).has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - joined_late, kPatience / 2);
}

}  // namespace
}  // namespace entrepot::upstream
