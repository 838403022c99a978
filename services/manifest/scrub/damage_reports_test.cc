#include "services/manifest/scrub/damage_reports.h"

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
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/core/upload_id.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kGiveUp = absl::Seconds(30);

class DamageReportsTest : public testing::Test {
 protected:
  struct Blob {
    Digest digest;
    StorageKey storage_key = *StorageKey::Parse(absl::StrCat("f", UploadId::Random().ToString()));
  };
  static Blob MakeBlob(int number) {
    return {.digest = ComputeDigest(DigestAlgorithm::kSha256, absl::StrCat("blob ", number))};
  }

  void SetUp() override { Start(/*waiting_max=*/1000); }
  void TearDown() override { reports_.reset(); }

  void Start(size_t waiting_max) {
    reports_ = std::make_unique<DamageReports>(
        &clock_, [this](const Digest& digest, const StorageKey&) { return Verify(digest); },
        DamageReports::Options{.waiting_max = waiting_max, .registry = registry_});
  }

  absl::Status Add(const Blob& blob) { return reports_->Add(blob.digest, blob.storage_key); }

  absl::Status Verify(const Digest& digest) {
    std::function<absl::Status()> during;
    {
      absl::MutexLock lock(&mutex_);
      verified_.push_back(digest);
      during = during_;
    }
    absl::Status status = during ? during() : absl::OkStatus();
    absl::MutexLock lock(&mutex_);
    ++ended_;
    return status;
  }

  void SetDuring(std::function<absl::Status()> during) {
    absl::MutexLock lock(&mutex_);
    during_ = std::move(during);
  }

  size_t verified() {
    absl::MutexLock lock(&mutex_);
    return verified_.size();
  }

  // Waits until `count` verifications have ended, and their results are noted: a blob that is reported afterwards is
  // verified after that.
  bool AwaitEnded(size_t count) {
    return Eventually([&] {
      absl::MutexLock lock(&mutex_);
      return ended_ == count;
    });
  }

  std::string Metrics() { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  FakeClock clock_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  absl::Mutex mutex_;
  std::vector<Digest> verified_ ABSL_GUARDED_BY(mutex_);
  size_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<absl::Status()> during_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<DamageReports> reports_;
};

TEST_F(DamageReportsTest, ReportsDoNotWaitForTheirVerification) {
  const Blob blob = MakeBlob(1);
  absl::Notification entered;
  absl::Notification leave;
  SetDuring([&] {
    entered.Notify();
    EXPECT_TRUE(leave.WaitForNotificationWithTimeout(kGiveUp));
    return absl::OkStatus();
  });
  EXPECT_OK(Add(blob));
  ASSERT_TRUE(entered.WaitForNotificationWithTimeout(kGiveUp));
  // This thread alone reports the blob 40 times while it is being verified.
  for (int i = 0; i < 40; ++i) EXPECT_OK(Add(blob));
  leave.Notify();
  EXPECT_TRUE(AwaitEnded(1));
  EXPECT_EQ(verified(), 1u);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"queued\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"repeated\"} 40"));
}

TEST_F(DamageReportsTest, DropsReportsBeyondTheLimit) {
  reports_.reset();
  Start(/*waiting_max=*/2);
  absl::Notification entered;
  absl::Notification leave;
  SetDuring([&] {
    if (!entered.HasBeenNotified()) entered.Notify();
    EXPECT_TRUE(leave.WaitForNotificationWithTimeout(kGiveUp));
    return absl::OkStatus();
  });
  EXPECT_OK(Add(MakeBlob(0)));
  ASSERT_TRUE(entered.WaitForNotificationWithTimeout(kGiveUp));
  EXPECT_OK(Add(MakeBlob(1)));
  EXPECT_OK(Add(MakeBlob(2)));
  const absl::Status dropped = Add(MakeBlob(3));
  EXPECT_THAT(dropped, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(std::string(dropped.message()), HasSubstr("collector.damage_reports_max"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"dropped\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_waiting 2"));
  leave.Notify();
  EXPECT_TRUE(AwaitEnded(3));
  // There is room again.
  EXPECT_OK(Add(MakeBlob(3)));
  EXPECT_TRUE(AwaitEnded(4));
}

TEST_F(DamageReportsTest, VerifiesAgainAfterAFailure) {
  const Blob blob = MakeBlob(1);
  SetDuring([] { return absl::UnavailableError("away"); });
  EXPECT_OK(Add(blob));
  EXPECT_TRUE(Eventually([&] { return Add(blob).ok() && verified() >= 2; }));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_damage_reports_total{result=\"failed\"}"));
}

TEST_F(DamageReportsTest, RemembersSuccessForAMinute) {
  const Blob blob = MakeBlob(1);
  EXPECT_OK(Add(blob));
  ASSERT_TRUE(AwaitEnded(1));
  // One thread verifies one blob after the other, so the first result is noted once another blob was verified.
  EXPECT_OK(Add(MakeBlob(2)));
  ASSERT_TRUE(AwaitEnded(2));
  clock_.Advance(DamageReports::kRemembered - absl::Nanoseconds(1));
  EXPECT_OK(Add(blob));
  EXPECT_OK(Add(MakeBlob(3)));
  ASSERT_TRUE(AwaitEnded(3));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_OK(Add(blob));
  ASSERT_TRUE(AwaitEnded(4));
  EXPECT_OK(Add(MakeBlob(4)));
  ASSERT_TRUE(AwaitEnded(5));
  // A clock that is set back does not extend the minute.
  clock_.Advance(-absl::Hours(1));
  EXPECT_OK(Add(blob));
  EXPECT_TRUE(AwaitEnded(6));
}

}  // namespace
}  // namespace entrepot::manifest
