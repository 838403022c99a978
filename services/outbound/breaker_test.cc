#include "services/outbound/breaker.h"

#include <algorithm>
#include <optional>

#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"

namespace entrepot::outbound {
namespace {

class BreakerTest : public testing::Test {
 protected:
  bool Fail(absl::Duration took = absl::ZeroDuration()) { return breaker_.Failed(took, std::nullopt); }
  void Open() {
    while (!Fail()) EXPECT_TRUE(breaker_.Allow());
  }

  const BreakerOptions options_;
  FakeClock clock_;
  Breaker breaker_{&clock_, options_};
};

TEST_F(BreakerTest, OpensAfterFailuresInARow) {
  EXPECT_FALSE(Fail());
  EXPECT_FALSE(Fail());
  EXPECT_FALSE(breaker_.Succeeded());
  EXPECT_FALSE(Fail());
  EXPECT_FALSE(Fail());
  EXPECT_TRUE(breaker_.Allow());
  EXPECT_TRUE(Fail());
  EXPECT_FALSE(breaker_.Allow());
  EXPECT_FALSE(breaker_.closed());
  EXPECT_GT(breaker_.wait(), absl::ZeroDuration());
  EXPECT_LE(breaker_.wait(), options_.pause_min);
}

TEST_F(BreakerTest, OpensAfterOneSlowFailure) {
  EXPECT_FALSE(Fail(options_.slow_failure - absl::Milliseconds(1)));
  EXPECT_TRUE(Fail(options_.slow_failure));
  EXPECT_FALSE(breaker_.Allow());
}

TEST_F(BreakerTest, WaitsAsLongAsTheServerAsksFor) {
  EXPECT_TRUE(breaker_.Failed(absl::ZeroDuration(), absl::Minutes(5)));
  EXPECT_EQ(breaker_.wait(), absl::Minutes(5));
  clock_.Advance(absl::Minutes(5) - absl::Seconds(1));
  EXPECT_FALSE(breaker_.Allow());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(breaker_.Allow());
}

TEST_F(BreakerTest, LetsOneProbeOut) {
  Open();
  EXPECT_FALSE(breaker_.due());
  clock_.Advance(options_.pause_min);
  EXPECT_TRUE(breaker_.due());
  EXPECT_TRUE(breaker_.Allow());
  EXPECT_FALSE(breaker_.due());
  EXPECT_FALSE(breaker_.Allow());
  EXPECT_TRUE(breaker_.Succeeded());
  EXPECT_TRUE(breaker_.closed());
  EXPECT_TRUE(breaker_.Allow());
  EXPECT_TRUE(breaker_.Allow());
  // It counts from the beginning again.
  EXPECT_FALSE(Fail());
}

TEST_F(BreakerTest, AProbeWithoutAResultMakesRoomForAnother) {
  Open();
  clock_.Advance(options_.pause_min);
  EXPECT_TRUE(breaker_.Allow());
  breaker_.Neither();
  EXPECT_TRUE(breaker_.Allow());
}

TEST_F(BreakerTest, WaitsLongerAfterEachFailedProbe) {
  Open();
  absl::Duration longest;
  for (int i = 0; i < 12; ++i) {
    const absl::Duration wait = breaker_.wait();
    EXPECT_LE(wait, options_.pause_max);
    longest = std::max(longest, wait);
    clock_.Advance(wait);
    ASSERT_TRUE(breaker_.Allow());
    EXPECT_FALSE(Fail());
    EXPECT_FALSE(breaker_.Allow());
  }
  EXPECT_GE(longest, options_.pause_max / 2);
}

TEST_F(BreakerTest, LateFailuresDoNotProlongThePause) {
  Open();
  const absl::Duration wait = breaker_.wait();
  clock_.Advance(wait / 2);
  EXPECT_FALSE(Fail());
  EXPECT_LE(breaker_.wait(), wait - wait / 2);
}

TEST_F(BreakerTest, AClockThatIsSetBackDoesNotKeepItOpen) {
  Open();
  clock_.Advance(-absl::Hours(24));
  EXPECT_TRUE(breaker_.Allow());
}

}  // namespace
}  // namespace entrepot::outbound
