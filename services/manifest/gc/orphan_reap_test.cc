#include "services/manifest/gc/orphan_reap.h"

#include "services/manifest/testing/collector_test_fixture.h"

namespace entrepot::manifest {
namespace {

using Session = MemoryObjectAccess::Session;

class OrphanReapTest : public CollectorTest {
 protected:
  Blob Orphan(absl::string_view content) {
    const Blob blob = objects_.Upload(content);
    clock_.Advance(kOrphanAge);
    return blob;
  }
  OrphanReap::Keys Found() {
    std::string position;
    const absl::StatusOr<OrphanReap::Keys> found = reap_.FindOrphans(&position, &run_);
    EXPECT_OK(found);
    EXPECT_EQ(position, "");
    return *found;
  }
  OrphanReap::Keys FoundAndMarked() {
    OrphanReap::Keys suspects = Found();
    EXPECT_OK(reap_.Mark(&suspects, &run_));
    return suspects;
  }

  DeletionGate gate_;
  CollectorMetrics metrics_{nullptr};
  const Pace pace_ = Unpaced();
  CollectionRun run_{&clock_, &pace_};
  const OrphanReap reap_{&kv_, &clock_, &objects_, &gate_, &metrics_, kOrphanAge};
};

TEST_F(OrphanReapTest, WhatNothingNamesIsQuarantinedOnceItIsOld) {
  const Blob needed = Pushed("blob");
  const Blob copy = Pushed("blob");
  const Blob sealed = objects_.Upload("sealed", Session::kSealed);
  const Blob orphan = Orphan("orphan");
  const Blob young = objects_.Upload("young");
  const v1::Collection run = ReapOrphans();
  EXPECT_EQ(run.quarantined(), 1u);
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
  EXPECT_EQ(objects_.quarantined(), 1u);
  EXPECT_TRUE(objects_.Content(young.storage_key).has_value());
  EXPECT_EQ(Metric("entrepot_gc_quarantined_total"), 1);
  EXPECT_FALSE(Intent(copy.storage_key)->suspect());
  EXPECT_FALSE(Intent(needed.storage_key).has_value());
  EXPECT_FALSE(Intent(sealed.storage_key).has_value());

  v1::UpkeepStatus status;
  ASSERT_OK(collector_->FillStatus(&status));
  ASSERT_EQ(status.history_size(), 1);
  EXPECT_EQ(status.history(0).quarantined(), 1u);
  // Suspects are not to be deleted.
  EXPECT_EQ(status.delete_intents(), 1u);
  EXPECT_EQ(Run().swept(), 1u);
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
}

TEST_F(OrphanReapTest, TheMarkStaysForAWhileSoThatNoLateCommitComesThrough) {
  const Blob orphan = Orphan("orphan");
  ReapOrphans();
  EXPECT_THAT(catalog_->CommitBlob(kNobody, Repo("a"), orphan), IsOciError(OciErrorCode::kBlobUploadUnknown));
  clock_.Advance(kOrphanAge - absl::Microseconds(1));
  EXPECT_EQ(ReapOrphans().quarantined(), 0u);
  EXPECT_TRUE(Intent(orphan.storage_key).has_value());
  clock_.Advance(absl::Microseconds(1));
  ReapOrphans();
  EXPECT_FALSE(Intent(orphan.storage_key).has_value());
  // Its bytes are gone from where they could be read.
  EXPECT_THAT(catalog_->CommitBlob(kNobody, Repo("a"), orphan), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(OrphanReapTest, ACommitBeforeTheMarkWins) {
  const Blob late = Orphan("late");
  OrphanReap::Keys suspects = Found();
  EXPECT_EQ(suspects.size(), 1u);
  EXPECT_THAT(catalog_->CommitBlob(kNobody, Repo("a"), late), IsOkAndHolds(false));
  ASSERT_OK(reap_.Mark(&suspects, &run_));
  EXPECT_EQ(suspects.size(), 1u);
  // Once more, while it is a suspect.
  EXPECT_THAT(catalog_->CommitBlob(kNobody, Repo("b"), late), IsOkAndHolds(false));
  EXPECT_THAT(Invariants(), IsOkAndHolds(testing::IsEmpty()));
  ASSERT_OK(reap_.StrikeOff(&suspects, &run_));
  EXPECT_TRUE(suspects.empty());
  EXPECT_FALSE(Intent(late.storage_key).has_value());
  EXPECT_OK(catalog_->FindBlob(kNobody, Repo("a"), late.digest));
}

TEST_F(OrphanReapTest, ACommitBehindTheMarkIsRefused) {
  const Blob late = Orphan("late");
  OrphanReap::Keys suspects = FoundAndMarked();
  EXPECT_THAT(catalog_->CommitBlob(kNobody, Repo("a"), late), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ASSERT_OK(reap_.StrikeOff(&suspects, &run_));
  ASSERT_OK(reap_.Quarantine(suspects, &run_));
  EXPECT_TRUE(objects_.IsQuarantined(late.storage_key));
}

TEST_F(OrphanReapTest, ASuspectWhoseBlobHasOtherBytesIsDeleted) {
  const Blob late = Orphan("blob");
  Pushed("blob");
  OrphanReap::Keys suspects = FoundAndMarked();
  EXPECT_EQ(suspects.size(), 1u);
  EXPECT_THAT(catalog_->CommitBlob(kNobody, Repo("a"), late), IsOkAndHolds(true));
  EXPECT_FALSE(Intent(late.storage_key)->suspect());
  ASSERT_OK(reap_.StrikeOff(&suspects, &run_));
  ASSERT_OK(reap_.Quarantine(suspects, &run_));
  EXPECT_EQ(objects_.quarantined(), 0u);
  EXPECT_EQ(Run().swept(), 1u);
  EXPECT_EQ(objects_.size(), 1u);
}

TEST_F(OrphanReapTest, ACrashBehindTheMarksIsMadeUpFor) {
  const Blob orphan = Orphan("orphan");
  const Blob late = Orphan("late");
  OrphanReap::Keys found = Found();
  ASSERT_OK(catalog_->CommitBlob(kNobody, Repo("a"), late));
  ASSERT_OK(reap_.Mark(&found, &run_));
  // Dead. Nobody lists the objects any more, as it happens.
  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "ListUnclaimed" ? absl::UnavailableError("away") : absl::OkStatus();
  });
  const absl::StatusOr<v1::Collection> run = collector_->ReapOrphans(Unpaced());
  objects_.SetFault(nullptr);
  EXPECT_EQ(run->quarantined(), 1u);
  EXPECT_EQ(run->error(), "away");
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
  EXPECT_TRUE(objects_.Content(late.storage_key).has_value());
  EXPECT_FALSE(Intent(late.storage_key).has_value());
}

TEST_F(OrphanReapTest, ACrashBehindTheQuarantineIsMadeUpFor) {
  const Blob orphan = Orphan("orphan");
  FoundAndMarked();
  ASSERT_OK(objects_.Quarantine(orphan.storage_key));
  EXPECT_EQ(ReapOrphans().quarantined(), 1u);
  EXPECT_TRUE(Intent(orphan.storage_key)->has_quarantined_at());
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
}

TEST_F(OrphanReapTest, NothingIsQuarantinedWhileSomebodyHoldsTheObjects) {
  const Blob orphan = Orphan("orphan");
  {
    const auto hold = collector_->HoldObjects();
    EXPECT_EQ(ReapOrphans().quarantined(), 0u);
    EXPECT_TRUE(objects_.Content(orphan.storage_key).has_value());
  }
  EXPECT_EQ(ReapOrphans().quarantined(), 1u);
}

TEST_F(OrphanReapTest, NothingIsTouchedWhereARecordCannotBeRead) {
  const Blob blob = Pushed("blob");
  const Blob orphan = Orphan("orphan");
  const auto good = *Record(blob.digest);
  EXPECT_OK(kv_.Transact({}, [&](kv::KvTransaction& transaction) {
    transaction.Put(keys::Blob(blob.digest), "\xff");
    return absl::OkStatus();
  }));
  const absl::StatusOr<v1::Collection> run = collector_->ReapOrphans(Unpaced());
  EXPECT_EQ(run->quarantined(), 0u);
  EXPECT_THAT(run->error(), testing::HasSubstr("cannot be read"));
  EXPECT_TRUE(objects_.Content(orphan.storage_key).has_value());
  EXPECT_TRUE(objects_.Content(blob.storage_key).has_value());
  Write(keys::Blob(blob.digest), good);
  ReapOrphans();
}

TEST_F(OrphanReapTest, StoppedAnywhereItTouchesNothingThatIsSomebodys) {
  for (int i = 0; i < 1500; ++i) Pushed(absl::StrCat("blob ", i));
  for (int i = 0; i < 250; ++i) objects_.Upload(absl::StrCat("orphan ", i));
  clock_.Advance(kOrphanAge);
  for (int stop_at = 1;; ++stop_at) {
    int steps = 0;
    const absl::StatusOr<v1::Collection> run =
        collector_->ReapOrphans([&](uint64_t, uint64_t) { return ++steps < stop_at; });
    ASSERT_OK(run);
    ASSERT_EQ(objects_.size() + objects_.quarantined(), 1750u);
    ASSERT_GE(objects_.size(), 1500u);
    if (run->error().empty()) break;
  }
  EXPECT_EQ(objects_.quarantined(), 250u);
}

}  // namespace
}  // namespace entrepot::manifest
