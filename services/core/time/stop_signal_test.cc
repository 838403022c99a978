#include "services/core/time/stop_signal.h"

#include <chrono>
#include <memory>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(StopSignalTest, WaitsUnlessStopped) {
  StopSignal stop;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(stop.WaitFor(absl::Milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
  EXPECT_FALSE(stop.stopped());
}

TEST(StopSignalTest, DoesNotWaitForAPastMoment) {
  StopSignal stop;
  EXPECT_FALSE(stop.WaitFor(absl::ZeroDuration()));
  EXPECT_FALSE(stop.WaitFor(-absl::Hours(1)));
}

TEST(StopSignalTest, WakesAllWaiters) {
  // Shared with threads that would outlive the test if the signal were broken.
  struct Round {
    StopSignal stop;
    absl::Notification woke[2];
  };
  // Many rounds, so that some threads wait already when Stop() is called.
  for (int i = 0; i < 50; ++i) {
    const auto round = std::make_shared<Round>();
    std::thread([round] {
      EXPECT_TRUE(round->stop.WaitFor(absl::Hours(1000)));
      round->woke[0].Notify();
    }).detach();
    std::thread([round] {
      EXPECT_TRUE(round->stop.WaitFor(absl::InfiniteDuration()));
      round->woke[1].Notify();
    }).detach();
    round->stop.Stop();
    for (absl::Notification& woke : round->woke) {
      ASSERT_TRUE(woke.WaitForNotificationWithTimeout(absl::Seconds(30)));
    }
  }
}

TEST(StopSignalTest, StaysStopped) {
  StopSignal stop;
  stop.Stop();
  EXPECT_TRUE(stop.stopped());
  EXPECT_TRUE(stop.WaitFor(absl::Hours(1)));
  EXPECT_TRUE(stop.WaitFor(absl::ZeroDuration()));
}

}  // namespace
}  // namespace entrepot
