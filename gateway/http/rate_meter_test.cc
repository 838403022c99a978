#include "gateway/http/rate_meter.h"

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using std::chrono::seconds;
using Time = RateMeter::Clock::time_point;

constexpr Time At(int second) { return Time(seconds(second)); }

TEST(RateMeterTest, ChecksOnlyWholeWindows) {
  RateMeter meter(100, seconds(10));
  meter.BeginWait(At(0));
  EXPECT_FALSE(meter.TooSlow(At(9)));
  EXPECT_TRUE(meter.TooSlow(At(10)));
}

TEST(RateMeterTest, BeginsANewWindowAfterEnoughBytes) {
  RateMeter meter(100, seconds(10));
  meter.BeginWait(At(0));
  meter.EndWait(At(4));
  meter.Add(1000);
  meter.BeginWait(At(4));
  EXPECT_FALSE(meter.TooSlow(At(10)));
  EXPECT_FALSE(meter.TooSlow(At(19)));
  EXPECT_TRUE(meter.TooSlow(At(20)));
}

TEST(RateMeterTest, IsTooSlowWithOneByteTooFew) {
  RateMeter meter(100, seconds(10));
  meter.BeginWait(At(0));
  meter.EndWait(At(1));
  meter.Add(999);
  meter.BeginWait(At(1));
  EXPECT_TRUE(meter.TooSlow(At(10)));
}

TEST(RateMeterTest, CountsOnlyTheTimeSpentWaiting) {
  RateMeter meter(100, seconds(10));
  meter.BeginWait(At(0));
  meter.EndWait(At(5));
  meter.BeginWait(At(1000));
  EXPECT_FALSE(meter.TooSlow(At(1004)));
  EXPECT_TRUE(meter.TooSlow(At(1005)));
}

TEST(RateMeterTest, RestartBeginsANewMeasurement) {
  RateMeter meter(100, seconds(10));
  meter.BeginWait(At(0));
  meter.Restart();
  meter.BeginWait(At(9));
  EXPECT_FALSE(meter.TooSlow(At(11)));
}

}  // namespace
}  // namespace entrepot::gateway::http
