#include "services/manifest/gc/process_clocks.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/proto_time.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::HasSubstr;

// Two processes whose clocks differ by `ahead_`: the second one's is later.
class ProcessClocksTest : public testing::Test {
 protected:
  void First() { first_.Exchange(now_, since_boot_, &record_); }
  void Second() { second_.Exchange(now_ + ahead_, since_boot_, &record_); }
  static std::string WhyNot(const ProcessClocks& clocks) {
    const absl::Status status = clocks.Check();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
    return std::string(status.message());
  }
  void Pass(absl::Duration time) {
    now_ += time;
    since_boot_ += time;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  absl::Duration since_boot_ = absl::Hours(1);
  absl::Duration ahead_ = absl::ZeroDuration();
  storage::v1::ClockRecord record_;
  ProcessClocks first_{"first"};
  ProcessClocks second_{"second"};
};

TEST_F(ProcessClocksTest, AProcessAloneNeedNotWait) {
  First();
  EXPECT_OK(first_.Check());
  Pass(ProcessClocks::kInterval);
  First();
  EXPECT_OK(first_.Check());
  EXPECT_EQ(record_.processes_size(), 1);
}

TEST_F(ProcessClocksTest, EqualClocksAreEqualAtTheFirstLook) {
  ahead_ = absl::Minutes(1);
  for (int i = 0; i < 10; ++i) {
    First();
    Pass(absl::Seconds(20));
    Second();
    EXPECT_OK(first_.Check());
    EXPECT_OK(second_.Check());
    Pass(absl::Seconds(40));
  }
}

TEST_F(ProcessClocksTest, BothNoticeADifference) {
  for (const absl::Duration ahead : {absl::Minutes(10), -absl::Minutes(10), absl::Hours(30), -absl::Hours(30)}) {
    ProcessClocks first("first");
    ProcessClocks second("second");
    storage::v1::ClockRecord record;
    for (int i = 0; i < 4; ++i) {
      first.Exchange(now_, since_boot_, &record);
      second.Exchange(now_ + ahead, since_boot_, &record);
      if (i > 1) {
        EXPECT_THAT(WhyNot(first), HasSubstr("differ by")) << ahead;
        EXPECT_THAT(WhyNot(second), HasSubstr("differ by")) << ahead;
      } else {
        // It may not know yet, but does not collect.
        EXPECT_THAT(second.Check(), StatusIs(absl::StatusCode::kFailedPrecondition)) << ahead;
      }
      Pass(ProcessClocks::kInterval);
    }
  }
}

TEST_F(ProcessClocksTest, CollectionGoesOnWhenTheClocksAgreeAgain) {
  ahead_ = absl::Hours(1);
  for (int i = 0; i < 3; ++i) {
    First();
    Second();
    Pass(ProcessClocks::kInterval);
  }
  EXPECT_FALSE(first_.Check().ok());
  ahead_ = absl::ZeroDuration();
  Second();
  Pass(ProcessClocks::kInterval);
  First();
  EXPECT_OK(first_.Check());
}

TEST_F(ProcessClocksTest, AProcessThatHasEndedIsWatchedAndThenForgotten) {
  First();
  Pass(absl::Hours(1));
  Second();
  EXPECT_THAT(WhyNot(second_), HasSubstr("If it has ended"));
  Pass(ProcessClocks::kWatchedFor);
  Second();
  EXPECT_OK(second_.Check());
  EXPECT_EQ(record_.processes_size(), 2);
  Pass(absl::Hours(24));
  Second();
  EXPECT_EQ(record_.processes_size(), 1);
}

TEST_F(ProcessClocksTest, AFrozenProcessDoesNotKeepTheOthersFromCollecting) {
  First();
  Second();
  for (int i = 0; i < 5; ++i) {
    Pass(ProcessClocks::kInterval);
    First();
    EXPECT_OK(first_.Check()) << i;
  }
  // When it wakes up, the entry of the other one has changed while it did not look.
  Second();
  EXPECT_OK(second_.Check());
}

}  // namespace
}  // namespace entrepot::manifest
