#include "gateway/http/rate_meter.h"

#include "gtest/gtest.h"

namespace entrepot::gateway::http {
namespace {

using std::chrono::seconds;
using Time = RateMeter::Clock::time_point;

constexpr Time At(int second) { return Time(seconds(second)); }

RateMeter NewMeter() { return RateMeter({.bytes_per_second = 100, .window = seconds(10), .silence_max = seconds(60)}); }

// Waits from one second to the other, then counts the bytes.
void Wait(int begin, int end, uint64_t bytes, RateMeter* meter) {
  meter->BeginWait(At(begin));
  meter->EndWait(At(end));
  meter->Add(bytes);
}

TEST(RateMeterTest, ForgivesASilenceAndNoLongerOne) {
  RateMeter meter = NewMeter();
  meter.BeginWait(At(0));
  EXPECT_FALSE(meter.TooSlow(At(60)));
  EXPECT_TRUE(meter.TooSlow(At(61)));
}

TEST(RateMeterTest, AddsUpTheWaitsOfOneSilence) {
  RateMeter meter = NewMeter();
  Wait(0, 30, 0, &meter);
  meter.BeginWait(At(100));
  EXPECT_FALSE(meter.TooSlow(At(130)));
  EXPECT_TRUE(meter.TooSlow(At(131)));
}

TEST(RateMeterTest, ForgivesEachSilenceOfAPeerThatKeepsTheRate) {
  RateMeter meter = NewMeter();
  for (int round = 0; round < 100; ++round) {
    const int begin = round * 60;
    meter.BeginWait(At(begin));
    ASSERT_FALSE(meter.TooSlow(At(begin + 60)));
    meter.EndWait(At(begin + 60));
    meter.Add(6000);
    ASSERT_FALSE(meter.TooSlow(At(begin + 60)));
  }
}

TEST(RateMeterTest, ForgivesASilenceAfterASlowTime) {
  RateMeter meter = NewMeter();
  for (int second = 0; second < 10; ++second) Wait(second, second + 1, 1, &meter);
  meter.BeginWait(At(10));
  EXPECT_FALSE(meter.TooSlow(At(70)));
  meter.EndWait(At(70));
  meter.Add(1);
  EXPECT_FALSE(meter.TooSlow(At(70)));
}

TEST(RateMeterTest, BoundsATrickle) {
  RateMeter meter = NewMeter();
  int second = 0;
  for (; second < 1000 && !meter.TooSlow(At(second)); ++second) Wait(second, second + 1, 1, &meter);
  // Each second adds 0.99 s to the debt, and four seconds are forgiven.
  EXPECT_EQ(second, 15);
}

TEST(RateMeterTest, BoundsATrickleOfLongSilences) {
  RateMeter meter = NewMeter();
  for (int round = 0; round < 4; ++round) {
    ASSERT_FALSE(meter.TooSlow(At(59 * round)));
    Wait(59 * round, 59 * (round + 1), 1, &meter);
  }
  EXPECT_FALSE(meter.TooSlow(At(236)));
  Wait(236, 295, 1, &meter);
  EXPECT_TRUE(meter.TooSlow(At(295)));
}

TEST(RateMeterTest, ForgivesAgainOnceTheDebtIsPaid) {
  RateMeter meter = NewMeter();
  for (int round = 0; round < 20; ++round) {
    Wait(59 * round, 59 * (round + 1), round % 4 == 3 ? 30'000 : 1, &meter);
    ASSERT_FALSE(meter.TooSlow(At(59 * (round + 1))));
  }
}

TEST(RateMeterTest, HasNoCreditForBytesOfBefore) {
  RateMeter meter = NewMeter();
  Wait(0, 1, 1'000'000, &meter);
  meter.BeginWait(At(1));
  EXPECT_TRUE(meter.TooSlow(At(62)));
}

TEST(RateMeterTest, CountsOnlyTheTimeSpentWaiting) {
  RateMeter meter = NewMeter();
  Wait(0, 1, 100, &meter);
  EXPECT_FALSE(meter.TooSlow(At(10'000)));
}

TEST(RateMeterTest, RestartBeginsANewMeasurement) {
  RateMeter meter = NewMeter();
  Wait(0, 59, 1, &meter);
  meter.BeginWait(At(59));
  meter.Restart();
  meter.BeginWait(At(100));
  EXPECT_FALSE(meter.TooSlow(At(160)));
}

}  // namespace
}  // namespace entrepot::gateway::http
