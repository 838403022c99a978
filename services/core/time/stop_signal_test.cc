#include "services/core/time/stop_signal.h"

#include <chrono>
#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(StopSignal, WaitsWhereNobodySaysStop) {
  StopSignal stop;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(stop.WaitFor(absl::Milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
  EXPECT_FALSE(stop.stopped());
}

TEST(StopSignal, WaitsNotAtAllForWhatIsPast) {
  StopSignal stop;
  EXPECT_FALSE(stop.WaitFor(absl::ZeroDuration()));
  EXPECT_FALSE(stop.WaitFor(-absl::Hours(1)));
}

TEST(StopSignal, WakesEveryoneHoweverLongTheyWouldWait) {
  StopSignal stop;
  std::thread hours([&] { EXPECT_TRUE(stop.WaitFor(absl::Hours(1000))); });
  std::thread forever([&] { EXPECT_TRUE(stop.WaitFor(absl::InfiniteDuration())); });
  stop.WaitFor(absl::Milliseconds(10));
  stop.Stop();
  hours.join();
  forever.join();
}

TEST(StopSignal, IsForGood) {
  StopSignal stop;
  stop.Stop();
  EXPECT_TRUE(stop.stopped());
  EXPECT_TRUE(stop.WaitFor(absl::Hours(1)));
  EXPECT_TRUE(stop.WaitFor(absl::ZeroDuration()));
}

}  // namespace
}  // namespace entrepot
