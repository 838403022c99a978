#include "services/manifest/scrub/damage_report_gate.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

constexpr absl::Duration kGiveUp = absl::Seconds(30);

TEST(DamageReportGateTest, VerifiesAnObjectOnceForConcurrentReports) {
  FakeClock clock;
  DamageReportGate gate(&clock);
  absl::Notification entered;
  absl::Notification leave;
  std::atomic<int> verified = 0;
  const auto verify = [&] {
    if (++verified == 1) entered.Notify();
    EXPECT_TRUE(leave.WaitForNotificationWithTimeout(kGiveUp));
    return absl::OkStatus();
  };
  std::vector<std::thread> reporters;
  reporters.emplace_back([&] { EXPECT_OK(gate.Run("object", verify)); });
  EXPECT_TRUE(entered.WaitForNotificationWithTimeout(kGiveUp));
  for (int i = 0; i < 5; ++i) reporters.emplace_back([&] { EXPECT_OK(gate.Run("object", verify)); });
  // Each of the five waits, or has wrongly begun to verify.
  EXPECT_TRUE(Eventually([&] { return gate.waiting() + verified == 6; }));
  leave.Notify();
  for (std::thread& reporter : reporters) reporter.join();
  EXPECT_EQ(verified, 1);
}

TEST(DamageReportGateTest, LimitsConcurrentVerifications) {
  constexpr size_t kReporters = 20;
  FakeClock clock;
  DamageReportGate gate(&clock);
  absl::Notification leave;
  std::atomic<size_t> entered = 0;
  std::vector<std::thread> reporters;
  for (size_t i = 0; i < kReporters; ++i) {
    reporters.emplace_back([&, i] {
      EXPECT_OK(gate.Run(absl::StrCat(i), [&] {
        ++entered;
        EXPECT_TRUE(leave.WaitForNotificationWithTimeout(kGiveUp));
        return absl::OkStatus();
      }));
    });
  }
  // No verification ends yet: each reporter waits for its turn or is verifying.
  EXPECT_TRUE(Eventually([&] { return gate.waiting() + entered == kReporters; }));
  EXPECT_EQ(entered, DamageReportGate::kConcurrentMax);
  leave.Notify();
  for (std::thread& reporter : reporters) reporter.join();
  EXPECT_EQ(entered, kReporters);
}

TEST(DamageReportGateTest, RetriesFailedVerification) {
  FakeClock clock;
  DamageReportGate gate(&clock);
  EXPECT_THAT(gate.Run("object", [] { return absl::UnavailableError("away"); }),
              StatusIs(absl::StatusCode::kUnavailable));
  int verified = 0;
  const auto verify = [&] {
    ++verified;
    return absl::OkStatus();
  };
  EXPECT_OK(gate.Run("object", verify));
  EXPECT_EQ(verified, 1);
}

TEST(DamageReportGateTest, RemembersSuccessForAMinute) {
  FakeClock clock;
  DamageReportGate gate(&clock);
  int verified = 0;
  const auto verify = [&] {
    ++verified;
    return absl::OkStatus();
  };
  EXPECT_OK(gate.Run("object", verify));
  clock.Advance(DamageReportGate::kRemembered - absl::Nanoseconds(1));
  EXPECT_OK(gate.Run("object", verify));
  EXPECT_EQ(verified, 1);
  clock.Advance(absl::Nanoseconds(1));
  EXPECT_OK(gate.Run("object", verify));
  EXPECT_EQ(verified, 2);
  // A clock that is set back does not extend the minute.
  clock.Advance(-absl::Hours(1));
  EXPECT_OK(gate.Run("object", verify));
  EXPECT_EQ(verified, 3);
}

}  // namespace
}  // namespace entrepot::manifest
