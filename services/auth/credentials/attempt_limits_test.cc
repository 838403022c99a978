#include "services/auth/credentials/attempt_limits.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"

namespace entrepot::auth {
namespace {

class AttemptLimitsTest : public testing::Test {
 protected:
  void Fail(const std::string& address, const std::string& account, int times = 1) {
    for (int i = 0; i < times; ++i) limits_.CountFailure(address, account);
  }
  // The limit that refuses; "" if none does.
  std::string RefusedBy(const std::string& address, const std::string& account) {
    const auto refusal = limits_.Check(address, account);
    return refusal.has_value() ? std::string(refusal->by) : "";
  }

  FakeClock clock_;
  AttemptLimits limits_{&clock_, {.failures_max = 3, .interval = absl::Seconds(10), .entries_max = 8}};
};

TEST_F(AttemptLimitsTest, LimitsTheFailuresOfAnAddress) {
  Fail("192.0.2.1", "a", 2);
  EXPECT_EQ(RefusedBy("192.0.2.1", "b"), "");
  Fail("192.0.2.1", "c");
  // This applies to every account.
  EXPECT_EQ(RefusedBy("192.0.2.1", "b"), "address");
  EXPECT_EQ(RefusedBy("192.0.2.2", "b"), "");
}

TEST_F(AttemptLimitsTest, RegainsAnAttemptEveryInterval) {
  Fail("192.0.2.1", "a", 3);
  EXPECT_EQ(limits_.Check("192.0.2.1", "a")->retry_after, absl::Seconds(10));
  clock_.Advance(absl::Seconds(9));
  EXPECT_EQ(limits_.Check("192.0.2.1", "a")->retry_after, absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "");
  Fail("192.0.2.1", "a");
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "address");
  // The bucket is full, and not more than full.
  clock_.Advance(absl::Hours(1));
  Fail("192.0.2.1", "a", 2);
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "");
  Fail("192.0.2.1", "a");
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "address");
}

TEST_F(AttemptLimitsTest, RefusedAttemptsDoNotExtendTheWait) {
  Fail("192.0.2.1", "a", 100);
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "");
}

TEST_F(AttemptLimitsTest, GuessingFromManyAddressesDoesNotLockOutTheOwner) {
  for (int i = 1; i <= 4; ++i) Fail(absl::StrCat("192.0.2.", i), "alice");
  // An address that has guessed must wait, although it has attempts left.
  EXPECT_EQ(RefusedBy("192.0.2.1", "alice"), "account");
  EXPECT_EQ(RefusedBy("192.0.2.1", "bob"), "");
  // An address that has not guessed is accepted.
  EXPECT_EQ(RefusedBy("198.51.100.1", "alice"), "");
  // Only once.
  Fail("198.51.100.1", "alice");
  EXPECT_EQ(RefusedBy("198.51.100.1", "alice"), "account");
}

TEST_F(AttemptLimitsTest, ASuccessClearsTheFailuresOfAnAddressAndAccount) {
  for (int i = 1; i <= 4; ++i) Fail(absl::StrCat("192.0.2.", i), "alice");
  limits_.CountSuccess("192.0.2.1", "alice");
  EXPECT_EQ(RefusedBy("192.0.2.1", "alice"), "");
  EXPECT_EQ(RefusedBy("192.0.2.2", "alice"), "account");
}

TEST_F(AttemptLimitsTest, AnAddressRegainsAnAttemptWhileOthersGuess) {
  Fail("192.0.2.1", "alice");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(10));
    Fail(absl::StrCat("192.0.2.1", i), "alice", 2);
  }
  EXPECT_EQ(RefusedBy("192.0.2.12", "alice"), "account");
  EXPECT_EQ(RefusedBy("192.0.2.1", "alice"), "");
}

TEST_F(AttemptLimitsTest, AnIpv6NetworkCountsAsOneAddress) {
  Fail("2001:db8::1", "a");
  Fail("2001:db8::2", "b");
  Fail("2001:db8:0:0:ffff::3", "c");
  EXPECT_EQ(RefusedBy("2001:db8::4", "d"), "address");
  EXPECT_EQ(RefusedBy("2001:db8:0:1::4", "d"), "");
}

TEST_F(AttemptLimitsTest, AClockSetBackDoesNotExtendTheWait) {
  Fail("192.0.2.1", "a", 3);
  clock_.Advance(-absl::Hours(24));
  EXPECT_LE(limits_.Check("192.0.2.1", "a")->retry_after, absl::Seconds(10));
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "");
}

TEST_F(AttemptLimitsTest, DropsTheLeastRecentlyUsedFirst) {
  Fail("192.0.2.1", "a", 3);
  for (int i = 0; i < 7; ++i) Fail(absl::StrCat("198.51.100.", i), absl::StrCat("b", i));
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "address");
  for (int i = 0; i < 8; ++i) Fail(absl::StrCat("203.0.113.", i), absl::StrCat("c", i));
  EXPECT_EQ(RefusedBy("192.0.2.1", "a"), "");
}

}  // namespace
}  // namespace entrepot::auth
