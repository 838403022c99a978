#include "services/manifest/scrub/damage_reports.h"

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kGiveUp = absl::Seconds(30);

struct ReportedBlob {
  Digest digest;
  StorageKey storage_key = StorageKey::Random(StorageTier::kFile);
};

ReportedBlob MakeBlob(int number) {
  return {.digest = ComputeDigest(DigestAlgorithm::kSha256, absl::StrCat("blob ", number))};
}

class DamageReportsTest : public testing::Test {
 protected:
  void SetUp() override { Start(/*waiting_max=*/1000); }

  void Start(size_t waiting_max) {
    reports_ = std::make_unique<DamageReports>(
        &clock_,
        [this](const Digest&, const StorageKey&) {
          ++verified_;
          return verify_();
        },
        DamageReports::Options{.waiting_max = waiting_max, .registry = registry_});
  }

  // Adds a report. Its status is counted when it is done.
  void Add(const ReportedBlob& blob) {
    reports_->Add(blob.digest, blob.storage_key, [this](const absl::Status& status) {
      absl::MutexLock lock(&mutex_);
      done_.push_back(status);
    });
  }

  // Waits until so many reports are done.
  std::vector<absl::Status> AwaitDone(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto are_done = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return done_.size() >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&are_done), kGiveUp));
    return done_;
  }

  // Verifications wait for leave_ from now on.
  void HoldVerifications(absl::Status status = absl::OkStatus()) {
    verify_ = [this, status] {
      if (!entered_.HasBeenNotified()) entered_.Notify();
      EXPECT_TRUE(leave_.WaitForNotificationWithTimeout(kGiveUp));
      return status;
    };
  }

  std::string Metrics() { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  FakeClock clock_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::atomic<int> verified_ = 0;
  std::function<absl::Status()> verify_ = [] { return absl::OkStatus(); };
  absl::Notification entered_;
  absl::Notification leave_;
  absl::Mutex mutex_;
  std::vector<absl::Status> done_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<DamageReports> reports_;
};

TEST_F(DamageReportsTest, NoThreadOfAReporterWaits) {
  const ReportedBlob blob = MakeBlob(1);
  HoldVerifications();
  // This thread alone reports the blob 41 times while it is being verified.
  for (int i = 0; i < 41; ++i) Add(blob);
  ASSERT_TRUE(entered_.WaitForNotificationWithTimeout(kGiveUp));
  EXPECT_EQ(AwaitDone(0).size(), 0u);
  leave_.Notify();
  for (const absl::Status& status : AwaitDone(41)) EXPECT_OK(status);
  EXPECT_EQ(verified_, 1);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"queued\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"repeated\"} 40"));
}

TEST_F(DamageReportsTest, DropsReportsBeyondTheLimit) {
  reports_.reset();
  Start(/*waiting_max=*/2);
  HoldVerifications();
  Add(MakeBlob(0));
  ASSERT_TRUE(entered_.WaitForNotificationWithTimeout(kGiveUp));
  Add(MakeBlob(1));
  Add(MakeBlob(2));
  Add(MakeBlob(3));
  const absl::Status dropped = AwaitDone(1)[0];
  EXPECT_THAT(dropped, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(std::string(dropped.message()), HasSubstr("collector.damage_reports_max"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"dropped\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_waiting 2"));
  leave_.Notify();
  AwaitDone(4);
  // There is room again.
  Add(MakeBlob(3));
  EXPECT_OK(AwaitDone(5)[4]);
  EXPECT_EQ(verified_, 4);
}

TEST_F(DamageReportsTest, VerifiesAgainAfterAFailure) {
  const ReportedBlob blob = MakeBlob(1);
  verify_ = [] { return absl::UnavailableError("away"); };
  Add(blob);
  EXPECT_THAT(AwaitDone(1)[0], StatusIs(absl::StatusCode::kUnavailable));
  Add(blob);
  AwaitDone(2);
  EXPECT_EQ(verified_, 2);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"failed\"} 2"));
}

TEST_F(DamageReportsTest, RemembersSuccessForAMinute) {
  const ReportedBlob blob = MakeBlob(1);
  Add(blob);
  AwaitDone(1);
  clock_.Advance(DamageReports::kRemembered - absl::Nanoseconds(1));
  Add(blob);
  AwaitDone(2);
  EXPECT_EQ(verified_, 1);
  clock_.Advance(absl::Nanoseconds(1));
  Add(blob);
  AwaitDone(3);
  EXPECT_EQ(verified_, 2);
  // A clock that is set back does not extend the minute.
  clock_.Advance(-absl::Hours(1));
  Add(blob);
  AwaitDone(4);
  EXPECT_EQ(verified_, 3);
}

TEST_F(DamageReportsTest, StopEndsAllReports) {
  HoldVerifications();
  for (int i = 0; i < 10; ++i) Add(MakeBlob(i));
  ASSERT_TRUE(entered_.WaitForNotificationWithTimeout(kGiveUp));
  reports_->Stop();
  Add(MakeBlob(10));
  for (const absl::Status& status : AwaitDone(11)) EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  leave_.Notify();
  reports_.reset();
  EXPECT_EQ(verified_, 1);
  EXPECT_EQ(AwaitDone(11).size(), 11u);
}

}  // namespace
}  // namespace entrepot::manifest
