#include "services/manifest/gc/deletion_pause.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/failpoint/failpoint_control.h"
#include "services/manifest/testing/collector_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

// Two collectors with records in common stand for two processes.
class DeletionPauseTest : public CollectorTest {
 protected:
  DeletionPauseTest() : other_(NewCollector(kGrace)) {}

  // Makes the object of a second copy deletable.
  void MakeGarbage() {
    Pushed("blob");
    Pushed("blob");
  }

  const std::unique_ptr<Collector> other_;
  DeletionPause pause_{&kv_, &clock_};
};

TEST_F(DeletionPauseTest, HoldsForCollectorsOfOtherProcesses) {
  MakeGarbage();
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collector::Pause> pause, collector_->PauseDeletions());
    EXPECT_EQ(Run(other_.get()).swept(), 0u);
    EXPECT_OK(pause->Check());
  }
  EXPECT_EQ(Run(other_.get()).swept(), 1u);
}

TEST_F(DeletionPauseTest, HoldsForQuarantinesOfOtherProcesses) {
  objects_.Upload("orphan", MemoryBlobStorage::Session::kNone);
  clock_.Advance(kOrphanAge);
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Collector::Pause> pause, collector_->PauseDeletions());
    EXPECT_EQ(other_->QuarantineOrphans(Unpaced())->quarantined(), 0u);
  }
  EXPECT_EQ(other_->QuarantineOrphans(Unpaced())->quarantined(), 1u);
}

TEST_F(DeletionPauseTest, ADeletionThatWasConfirmedBeforeThePauseMayFollowIt) {
  MakeGarbage();
  std::unique_ptr<Collector::Pause> pause;
  {
    // The collector stands still between the confirmation and the deletion, while a backup begins.
    const ScopedFailpoints failpoints([&](absl::string_view name) {
      if (name == "manifest.collector.confirmed" && pause == nullptr) pause = *other_->PauseDeletions();
      return absl::OkStatus();
    });
    EXPECT_EQ(Run().swept(), 1u);
  }
  ASSERT_NE(pause, nullptr);
  EXPECT_OK(pause->Check());
  // TearDown() finds that no record names the object that was deleted.
}

TEST_F(DeletionPauseTest, EndsIfItIsNotRenewed) {
  MakeGarbage();
  ASSERT_OK_AND_ASSIGN(const std::string name, pause_.Begin());
  clock_.Advance(DeletionPause::kLifetime - absl::Seconds(1));
  ASSERT_OK(pause_.Renew(name));
  clock_.Advance(DeletionPause::kLifetime - absl::Seconds(1));
  EXPECT_EQ(Run().swept(), 0u);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Run().swept(), 1u);
  EXPECT_THAT(pause_.Renew(name), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(DeletionPauseTest, ThatWasNotRenewedStaysInForceUntilItIsRemoved) {
  ASSERT_OK_AND_ASSIGN(const std::string name, pause_.Begin());
  clock_.Advance(2 * DeletionPause::kLifetime);
  EXPECT_THAT(DeletionPause::InForce(kv_), IsOkAndHolds(true));
  // So its holder knows that nothing was deleted meanwhile.
  EXPECT_OK(pause_.Renew(name));
  EXPECT_OK(pause_.RemoveEnded());
  EXPECT_THAT(DeletionPause::InForce(kv_), IsOkAndHolds(true));
  EXPECT_OK(pause_.End(name));
  EXPECT_THAT(DeletionPause::InForce(kv_), IsOkAndHolds(false));
  EXPECT_EQ(Count(keys::DeletionPause()), 0u);
}

TEST_F(DeletionPauseTest, EndsOnlyWithTheLastPause) {
  ASSERT_OK_AND_ASSIGN(const std::string first, pause_.Begin());
  ASSERT_OK_AND_ASSIGN(const std::string second, pause_.Begin());
  EXPECT_OK(pause_.End(first));
  EXPECT_OK(pause_.End(first));
  EXPECT_THAT(DeletionPause::InForce(kv_), IsOkAndHolds(true));
  EXPECT_OK(pause_.End(second));
  EXPECT_THAT(DeletionPause::InForce(kv_), IsOkAndHolds(false));
}

}  // namespace
}  // namespace entrepot::manifest
