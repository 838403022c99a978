#include "services/core/time/backoff.h"

#include <random>
#include <set>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(BackoffTest, BoundsDoubleUpToTheMaximum) {
  std::mt19937_64 random(1);
  Backoff backoff(absl::Milliseconds(10), absl::Milliseconds(70), random);
  for (int bound : {10, 20, 40, 70, 70, 70}) {
    const absl::Duration wait = backoff.Next();
    EXPECT_GE(wait, absl::Milliseconds(bound) / 2);
    EXPECT_LE(wait, absl::Milliseconds(bound));
  }
}

TEST(BackoffTest, WaitsDiffer) {
  std::mt19937_64 random(1);
  std::set<absl::Duration> waits;
  for (int i = 0; i < 100; ++i) waits.insert(Backoff(absl::Seconds(1), absl::Seconds(1), random).Next());
  EXPECT_GT(waits.size(), 95u);
  EXPECT_LT(*waits.begin(), absl::Milliseconds(550));
  EXPECT_GT(*waits.rbegin(), absl::Milliseconds(950));
}

TEST(BackoffTest, AHugeMaximumDoesNotOverflow) {
  std::mt19937_64 random(1);
  Backoff backoff(absl::Seconds(1), absl::InfiniteDuration(), random);
  absl::Duration last = absl::ZeroDuration();
  for (int i = 0; i < 200; ++i) {
    const absl::Duration wait = backoff.Next();
    EXPECT_GT(wait, absl::ZeroDuration());
    last = wait;
  }
  EXPECT_EQ(last, absl::InfiniteDuration());
}

}  // namespace
}  // namespace entrepot
