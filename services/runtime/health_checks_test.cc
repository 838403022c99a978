#include "services/runtime/health_checks.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/time/eventually.h"

namespace entrepot::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Duration kGiveUp = absl::Seconds(30);

class HealthChecksTest : public testing::Test {
 protected:
  void Start(std::vector<HealthCheck> checks, absl::Duration patience = kGiveUp) {
    health_ = std::make_unique<HealthChecks>(
        std::move(checks), HealthChecks::Options{.interval = absl::Milliseconds(1), .patience = patience});
  }

  bool Becomes(Readiness readiness) {
    return Eventually([&] {
      const ReadinessReport report = health_->Report();
      return report.complete && report.readiness == readiness;
    });
  }

  // A check that fails while its flag is set.
  HealthCheck Check(const std::string& name, Readiness without, std::atomic<bool>* fails) {
    return {.name = name, .without = without, .check = [fails] {
              return *fails ? absl::UnavailableError("the disk is full") : absl::OkStatus();
            }};
  }

  std::string Metrics() { return prometheus::TextSerializer().Serialize(health_->Collect()); }

  std::atomic<bool> pull_fails_ = false;
  std::atomic<bool> push_fails_ = false;
  std::unique_ptr<HealthChecks> health_;
};

TEST_F(HealthChecksTest, TheWorstFailureDecides) {
  Start({Check("catalog", Readiness::kNone, &pull_fails_), Check("blob store", Readiness::kPulls, &push_fails_)});
  ASSERT_TRUE(Becomes(Readiness::kAll));
  EXPECT_THAT(health_->Report().text, StartsWith("ready\nok: catalog ("));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_ready{for=\"pushes\"} 1\n"));

  push_fails_ = true;
  ASSERT_TRUE(Becomes(Readiness::kPulls));
  EXPECT_THAT(health_->Report().text, StartsWith("ready for pulls only\ncannot push: blob store: the disk is full ("));
  EXPECT_THAT(health_->Report().text, HasSubstr("\nok: catalog ("));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_ready{for=\"pulls\"} 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_ready{for=\"pushes\"} 0\n"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_health_check_ok{check=\"catalog\"} 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_health_check_ok{check=\"blob store\"} 0\n"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_health_check_age_seconds{check=\"blob store\"}"));

  pull_fails_ = true;
  ASSERT_TRUE(Becomes(Readiness::kNone));
  EXPECT_THAT(health_->Report().text, StartsWith("not ready\n"));
  EXPECT_THAT(health_->Report().text, HasSubstr("\ncannot pull: catalog: the disk is full ("));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_ready{for=\"pulls\"} 0\n"));

  pull_fails_ = false;
  push_fails_ = false;
  EXPECT_TRUE(Becomes(Readiness::kAll));
}

TEST_F(HealthChecksTest, IsNotReadyBeforeTheFirstAnswers) {
  absl::Notification leave;
  Start({{.name = "slow", .without = Readiness::kPulls, .check = [&] {
            leave.WaitForNotification();
            return absl::OkStatus();
          }}});
  const ReadinessReport report = health_->Report();
  EXPECT_EQ(report.readiness, Readiness::kPulls);
  EXPECT_FALSE(report.complete);
  EXPECT_THAT(report.text, HasSubstr("cannot push: slow: has not been checked yet\n"));
  EXPECT_THAT(Metrics(), Not(HasSubstr("entrepot_health_check_age_seconds{")));
  leave.Notify();
  EXPECT_TRUE(Becomes(Readiness::kAll));
  health_->Stop();
}

TEST_F(HealthChecksTest, AHangingCheckCountsAsFailedAndDelaysNoOther) {
  absl::Notification leave;
  std::atomic<int> answers = 0;
  std::atomic<int> calls = 0;
  Start({{.name = "hanging",
          .without = Readiness::kNone,
          .check =
              [&] {
                if (++calls > 1) leave.WaitForNotification();
                return absl::OkStatus();
              }},
         {.name = "other",
          .without = Readiness::kPulls,
          .check =
              [&] {
                ++answers;
                return absl::OkStatus();
              }}},
        /*patience=*/absl::Milliseconds(1));
  EXPECT_TRUE(Eventually(
      [&] { return absl::StrContains(health_->Report().text, "cannot pull: hanging: has not answered for "); }));
  EXPECT_EQ(health_->Report().readiness, Readiness::kNone);
  const int before = answers;
  EXPECT_TRUE(Eventually([&] { return answers > before; }));
  leave.Notify();
  EXPECT_TRUE(Becomes(Readiness::kAll));
  health_->Stop();
}

TEST_F(HealthChecksTest, CallsNoCheckAfterStop) {
  std::atomic<int> calls = 0;
  Start({{.name = "counted", .without = Readiness::kNone, .check = [&] {
            ++calls;
            return absl::OkStatus();
          }}});
  ASSERT_TRUE(Becomes(Readiness::kAll));
  health_->Stop();
  const int before = calls;
  EXPECT_EQ(health_->Report().readiness, Readiness::kAll);
  EXPECT_EQ(calls, before);
}

}  // namespace
}  // namespace entrepot::runtime
