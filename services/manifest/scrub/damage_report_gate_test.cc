#include "services/manifest/scrub/damage_report_gate.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

TEST(ReportGateTest, ReportsAtOnceAreOneExamination) {
  FakeClock clock;
  ReportGate gate(&clock);
  absl::Notification entered;
  absl::Notification leave;
  std::atomic<int> examined = 0;
  const auto examine = [&] {
    ++examined;
    if (!entered.HasBeenNotified()) entered.Notify();
    leave.WaitForNotification();
    return absl::OkStatus();
  };
  std::vector<std::thread> reporters;
  reporters.emplace_back([&] { EXPECT_OK(gate.Pass("thing", examine)); });
  entered.WaitForNotification();
  for (int i = 0; i < 5; ++i) reporters.emplace_back([&] { EXPECT_OK(gate.Pass("thing", examine)); });
  leave.Notify();
  for (std::thread& reporter : reporters) reporter.join();
  EXPECT_EQ(examined, 1);
}

TEST(ReportGateTest, FewAtOnce) {
  FakeClock clock;
  ReportGate gate(&clock);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> reporters;
  for (int i = 0; i < 20; ++i) {
    reporters.emplace_back([&, i] {
      EXPECT_OK(gate.Pass(absl::StrCat(i), [&] {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --running;
        return absl::OkStatus();
      }));
    });
  }
  for (std::thread& reporter : reporters) reporter.join();
  EXPECT_LE(most, static_cast<int>(ReportGate::kAtOnceMax));
}

TEST(ReportGateTest, WhatIsNotSettledIsExaminedAgain) {
  FakeClock clock;
  ReportGate gate(&clock);
  EXPECT_THAT(gate.Pass("thing", [] { return absl::UnavailableError("away"); }),
              StatusIs(absl::StatusCode::kUnavailable));
  int examined = 0;
  const auto examine = [&] {
    ++examined;
    return absl::OkStatus();
  };
  EXPECT_OK(gate.Pass("thing", examine));
  EXPECT_OK(gate.Pass("thing", examine));
  EXPECT_EQ(examined, 1);
  // A clock that was set back does not make it settled for longer.
  clock.Advance(-absl::Hours(1));
  EXPECT_OK(gate.Pass("thing", examine));
  EXPECT_EQ(examined, 2);
}

}  // namespace
}  // namespace entrepot::manifest
