#include "services/manifest/maintenance/pacer.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::manifest {
namespace {

// A clock that advances when it is waited for.
class PacerTest : public testing::Test {
 protected:
  class FakeStop : public StopSignal {
   public:
    bool WaitFor(absl::Duration duration) override {
      now += duration;
      waited += duration;
      return stopped();
    }
    absl::Duration now = absl::Hours(1);
    absl::Duration waited;
  };

  Pace Make(const PaceLimits& limits) {
    return MakePace(limits, &stop_, [this] { return stop_.now; });
  }

  FakeStop stop_;
};

TEST_F(PacerTest, LimitsOperations) {
  const Pace pace = Make({.operations_per_second = 500});
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pace(1, 1 << 30));
  EXPECT_GT(stop_.waited, absl::Milliseconds(1900));
  EXPECT_LE(stop_.waited, absl::Seconds(2));
}

TEST_F(PacerTest, FollowsTheNeedUpToAMaximum) {
  uint64_t needed = 0;
  const Pace pace = Make(
      {.operations_per_second = 100, .operations_needed = [&] { return needed; }, .operations_per_second_max = 1000});
  const auto seconds_for = [&](int operations) {
    stop_.waited = absl::ZeroDuration();
    for (int i = 0; i < operations; ++i) EXPECT_TRUE(pace(1, 0));
    return absl::ToDoubleSeconds(stop_.waited);
  };
  EXPECT_NEAR(seconds_for(100), 1, 0.1);
  needed = 50;
  EXPECT_NEAR(seconds_for(100), 1, 0.1);
  needed = 400;
  EXPECT_NEAR(seconds_for(400), 1, 0.1);
  needed = 1'000'000;
  EXPECT_NEAR(seconds_for(1000), 1, 0.1);
}

TEST_F(PacerTest, LimitsBytes) {
  const Pace pace = Make({.operations_per_second = 500, .bytes_per_second = 1000});
  EXPECT_TRUE(pace(1, 5000));
  EXPECT_GT(stop_.waited, absl::Milliseconds(4900));
  EXPECT_LE(stop_.waited, absl::Seconds(5));
}

TEST_F(PacerTest, NeverWaitsWithoutLimits) {
  const Pace pace = Make({});
  EXPECT_TRUE(pace(1'000'000, uint64_t{1} << 50));
  EXPECT_EQ(stop_.waited, absl::ZeroDuration());
}

TEST_F(PacerTest, DoesNotSaveUnusedBudget) {
  const Pace pace = Make({.operations_per_second = 100});
  EXPECT_TRUE(pace(1, 0));
  stop_.now += absl::Hours(1);
  stop_.waited = absl::ZeroDuration();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(pace(1, 0));
  EXPECT_GT(stop_.waited, absl::Milliseconds(900));
}

TEST_F(PacerTest, ReturnsFalseOnceStopped) {
  const Pace slow = Make({.operations_per_second = 1});
  const Pace fast = Make({});
  EXPECT_TRUE(slow(1, 0));
  stop_.Stop();
  EXPECT_FALSE(slow(1, 0));
  EXPECT_FALSE(fast(1, 0));
}

TEST(PacerStopTest, WakesWaitingCalls) {
  StopSignal stop;
  const Pace pace = MakePace({.operations_per_second = 1}, &stop);
  std::vector<std::thread> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back([&] { EXPECT_FALSE(pace(100'000, 0)); });
  }
  stop.Stop();
  for (std::thread& thread : waiting) thread.join();
  EXPECT_TRUE(stop.WaitFor(absl::Hours(1)));
}

}  // namespace
}  // namespace entrepot::manifest
