#include "services/manifest/gc/orphan_quarantine.h"

#include <utility>
#include <vector>

#include "services/manifest/testing/collector_test_fixture.h"

namespace entrepot::manifest {
namespace {

using Session = MemoryBlobStorage::Session;

class OrphanQuarantineTest : public CollectorTest {
 protected:
  Blob Orphan(absl::string_view content) {
    const Blob blob = objects_.Upload(content);
    clock_.Advance(kOrphanAge);
    return blob;
  }
  void UploadOrphans(absl::string_view content, int count) {
    for (int i = 0; i < count; ++i) objects_.Upload(absl::StrCat(content, " ", i));
    clock_.Advance(kOrphanAge);
  }
  OrphanQuarantine::Keys Found() {
    std::string position;
    const absl::StatusOr<OrphanQuarantine::Keys> found = quarantine_.FindOrphans(&position, &named_, &run_);
    EXPECT_OK(found);
    EXPECT_EQ(position, "");
    return *found;
  }
  OrphanQuarantine::Keys FoundAndMarked() {
    OrphanQuarantine::Keys suspects = Found();
    EXPECT_OK(quarantine_.Mark(&suspects, &run_));
    return suspects;
  }

  uint64_t named_ = 0;
  DeletionPause pause_{&kv_, &clock_};
  CollectorMetrics metrics_{nullptr};
  const Pace pace_ = Unpaced();
  CollectionRun run_{&clock_, &pace_};
  const OrphanQuarantine quarantine_{&kv_, &clock_, &objects_, &pause_, &metrics_, kOrphanAge, 100};
};

TEST_F(OrphanQuarantineTest, QuarantinesOldOrphans) {
  const Blob needed = Pushed("blob");
  const Blob copy = Pushed("blob");
  const Blob sealed = objects_.Upload("sealed", Session::kSealed);
  const Blob orphan = Orphan("orphan");
  const Blob young = objects_.Upload("young");
  const v1::Collection run = QuarantineOrphans();
  EXPECT_EQ(run.quarantined(), 1u);
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
  EXPECT_EQ(objects_.quarantined(), 1u);
  EXPECT_TRUE(objects_.Content(young.storage_key).has_value());
  EXPECT_EQ(Metric("entrepot_gc_quarantined_total"), 1);
  EXPECT_FALSE(Intent(copy.storage_key)->suspect());
  EXPECT_FALSE(Intent(needed.storage_key).has_value());
  EXPECT_FALSE(Intent(sealed.storage_key).has_value());

  v1::MaintenanceStatus status;
  ASSERT_OK(collector_->FillStatus(&status));
  ASSERT_EQ(status.history_size(), 1);
  EXPECT_EQ(status.history(0).quarantined(), 1u);
  // Suspects are not deletable.
  EXPECT_EQ(status.delete_intents(), 1u);
  EXPECT_EQ(Run().swept(), 1u);
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
}

TEST_F(OrphanQuarantineTest, DoesNotTakeObjectsThatAreSweptDuringTheSearchForOrphans) {
  const Blob first = objects_.Upload("first");
  const Blob second = objects_.Upload("second");
  const Blob orphan = Orphan("orphan");
  // Another collector has removed the records of two objects before the search, and removes their bytes and intents
  // once the search has listed them.
  bool is_swept = false;
  const Pace sweep = [&](uint64_t, uint64_t) {
    if (!std::exchange(is_swept, true)) {
      for (const absl::Status& deleted : objects_.DeleteAll({first.storage_key, second.storage_key}))
        EXPECT_OK(deleted);
    }
    return true;
  };
  CollectionRun run(&clock_, &sweep);
  std::string position;
  ASSERT_OK_AND_ASSIGN(const OrphanQuarantine::Keys found, quarantine_.FindOrphans(&position, &named_, &run));
  EXPECT_TRUE(is_swept);
  EXPECT_EQ(found, OrphanQuarantine::Keys{orphan.storage_key.ToString()});
  EXPECT_EQ(QuarantineOrphans().quarantined(), 1u);
}

TEST_F(OrphanQuarantineTest, KeepsTheMarkSoThatLateCommitsAreRefused) {
  const Blob orphan = Orphan("orphan");
  QuarantineOrphans();
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), orphan), IsOciError(OciErrorCode::kBlobUploadUnknown));
  clock_.Advance(kOrphanAge - absl::Microseconds(1));
  EXPECT_EQ(QuarantineOrphans().quarantined(), 0u);
  EXPECT_TRUE(Intent(orphan.storage_key).has_value());
  clock_.Advance(absl::Microseconds(1));
  QuarantineOrphans();
  EXPECT_FALSE(Intent(orphan.storage_key).has_value());
  // The bytes cannot be read any more.
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), orphan), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(OrphanQuarantineTest, CommitBeforeTheMarkUnmarksTheSuspect) {
  const Blob late = Orphan("late");
  OrphanQuarantine::Keys suspects = Found();
  EXPECT_EQ(suspects.size(), 1u);
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), late), IsOkAndHolds(false));
  ASSERT_OK(quarantine_.Mark(&suspects, &run_));
  EXPECT_EQ(suspects.size(), 1u);
  // Again, while it is a suspect.
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("b"), late), IsOkAndHolds(false));
  EXPECT_THAT(Invariants(), IsOkAndHolds(testing::IsEmpty()));
  ASSERT_OK(quarantine_.UnmarkReferenced(&suspects, &run_));
  EXPECT_TRUE(suspects.empty());
  EXPECT_FALSE(Intent(late.storage_key).has_value());
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, Repo("a"), late.digest));
}

TEST_F(OrphanQuarantineTest, CommitAfterTheMarkIsRefused) {
  const Blob late = Orphan("late");
  OrphanQuarantine::Keys suspects = FoundAndMarked();
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), late), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ASSERT_OK(quarantine_.UnmarkReferenced(&suspects, &run_));
  ASSERT_OK(quarantine_.Quarantine(suspects, &run_));
  EXPECT_TRUE(objects_.IsQuarantined(late.storage_key));
}

TEST_F(OrphanQuarantineTest, SuspectBecomesDeletableWhenItsUploadIsDropped) {
  const Blob late = Orphan("blob");
  Pushed("blob");
  OrphanQuarantine::Keys suspects = FoundAndMarked();
  EXPECT_EQ(suspects.size(), 1u);
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), late), IsOkAndHolds(true));
  EXPECT_FALSE(Intent(late.storage_key)->suspect());
  ASSERT_OK(quarantine_.UnmarkReferenced(&suspects, &run_));
  ASSERT_OK(quarantine_.Quarantine(suspects, &run_));
  EXPECT_EQ(objects_.quarantined(), 0u);
  EXPECT_EQ(Run().swept(), 1u);
  EXPECT_EQ(objects_.size(), 1u);
}

TEST_F(OrphanQuarantineTest, ContinuesAfterACrashBetweenMarkAndQuarantine) {
  const Blob orphan = Orphan("orphan");
  const Blob late = Orphan("late");
  OrphanQuarantine::Keys found = Found();
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, Repo("a"), late));
  ASSERT_OK(quarantine_.Mark(&found, &run_));
  // The process has died. The next run does not list the object.
  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "ListUnclaimed" ? absl::UnavailableError("away") : absl::OkStatus();
  });
  const absl::StatusOr<v1::Collection> run = collector_->QuarantineOrphans(Unpaced());
  objects_.SetFault(nullptr);
  EXPECT_EQ(run->quarantined(), 1u);
  EXPECT_EQ(run->error(), "away");
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
  EXPECT_TRUE(objects_.Content(late.storage_key).has_value());
  EXPECT_FALSE(Intent(late.storage_key).has_value());
}

TEST_F(OrphanQuarantineTest, ContinuesAfterACrashAfterTheQuarantine) {
  const Blob orphan = Orphan("orphan");
  FoundAndMarked();
  ASSERT_OK(objects_.Quarantine(orphan.storage_key));
  EXPECT_EQ(QuarantineOrphans().quarantined(), 1u);
  EXPECT_TRUE(Intent(orphan.storage_key)->has_quarantined_at());
  EXPECT_TRUE(objects_.IsQuarantined(orphan.storage_key));
}

TEST_F(OrphanQuarantineTest, PausesPreventQuarantine) {
  const Blob orphan = Orphan("orphan");
  {
    const auto pause = collector_->PauseDeletions().value();
    EXPECT_EQ(QuarantineOrphans().quarantined(), 0u);
    EXPECT_TRUE(objects_.Content(orphan.storage_key).has_value());
  }
  EXPECT_EQ(QuarantineOrphans().quarantined(), 1u);
}

TEST_F(OrphanQuarantineTest, TouchesNoneOfTooManyOrphansUntilAnOperatorAgrees) {
  quarantine_percent_max_ = 5;
  collector_ = NewCollector(kGrace);
  for (int i = 0; i < 1900; ++i) Pushed(absl::StrCat("blob ", i));
  UploadOrphans("orphan", 100);
  EXPECT_EQ(QuarantineOrphans().quarantined(), 100u);

  UploadOrphans("another orphan", 101);
  absl::StatusOr<v1::Collection> run = collector_->QuarantineOrphans(Unpaced());
  EXPECT_EQ(run->quarantined(), 0u);
  EXPECT_THAT(run->error(), testing::HasSubstr("101 objects have no record, beside 1900 that have one"));
  EXPECT_EQ(Metric("entrepot_gc_quarantine_share_exceeded"), 1);
  EXPECT_EQ(objects_.quarantined(), 100u);
  EXPECT_EQ(Count(keys::DeleteIntents()), 0u) << "not even marked";
  run = collector_->QuarantineOrphans(Unpaced(), /*any_share=*/true);
  EXPECT_EQ(run->quarantined(), 101u);
  EXPECT_EQ(Metric("entrepot_gc_quarantine_share_exceeded"), 0);
}

TEST_F(OrphanQuarantineTest, TouchesNoneOfTooManyOrphansInASmallRegistry) {
  quarantine_percent_max_ = 5;
  collector_ = NewCollector(kGrace);
  Pushed("blob");
  UploadOrphans("orphan", 60);
  const absl::StatusOr<v1::Collection> run = collector_->QuarantineOrphans(Unpaced());
  EXPECT_EQ(run->quarantined(), 0u);
  EXPECT_THAT(run->error(), testing::HasSubstr("60 objects have no record, beside 1 that have one"));
  EXPECT_EQ(Metric("entrepot_gc_quarantine_share_exceeded"), 1);
  EXPECT_EQ(objects_.quarantined(), 0u);
  EXPECT_EQ(collector_->QuarantineOrphans(Unpaced(), /*any_share=*/true)->quarantined(), 60u);
}

TEST_F(OrphanQuarantineTest, QuarantinesAFewStraysOfASmallRegistry) {
  quarantine_percent_max_ = 5;
  collector_ = NewCollector(kGrace);
  Pushed("blob");
  UploadOrphans("orphan", 10);
  EXPECT_EQ(QuarantineOrphans().quarantined(), 10u);
}

TEST_F(OrphanQuarantineTest, CountsTheOrphansOfEarlierRuns) {
  quarantine_percent_max_ = 5;
  collector_ = NewCollector(kGrace);
  Pushed("blob");
  // 300 objects without a record, of which each run finds ten more.
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < 10; ++j) objects_.Upload(absl::StrCat("orphan ", i, " ", j));
    clock_.Advance(absl::Minutes(30));
  }
  clock_.Advance(kOrphanAge - absl::Hours(15));
  EXPECT_EQ(QuarantineOrphans().quarantined(), 10u);
  for (int i = 1; i < 30; ++i) {
    clock_.Advance(absl::Minutes(30));
    const absl::StatusOr<v1::Collection> run = collector_->QuarantineOrphans(Unpaced());
    EXPECT_EQ(run->quarantined(), 0u);
    EXPECT_THAT(run->error(),
                testing::HasSubstr(absl::StrCat(10 * i, " objects have no record, beside 1 that have one")));
    EXPECT_THAT(run->error(), testing::HasSubstr("10 have been taken for orphans in the last 24h"));
    EXPECT_EQ(Metric("entrepot_gc_quarantine_share_exceeded"), 1);
  }
  // What was quarantined first no longer counts, but there are too many others.
  clock_.Advance(kOrphanAge);
  EXPECT_EQ(collector_->QuarantineOrphans(Unpaced())->quarantined(), 0u);
  EXPECT_EQ(objects_.quarantined(), 10u);
  EXPECT_EQ(collector_->QuarantineOrphans(Unpaced(), /*any_share=*/true)->quarantined(), 290u);
}

TEST_F(OrphanQuarantineTest, CountsSuspectsThatCannotBeQuarantined) {
  quarantine_percent_max_ = 5;
  collector_ = NewCollector(kGrace);
  Pushed("blob");
  UploadOrphans("orphan", 10);
  {
    const auto pause = collector_->PauseDeletions().value();
    EXPECT_EQ(QuarantineOrphans().quarantined(), 0u);
    UploadOrphans("another orphan", 1);
    // The clock has advanced beyond the time for which a pause lasts.
    ASSERT_OK(pause->Check());
    EXPECT_THAT(collector_->QuarantineOrphans(Unpaced())->error(),
                testing::HasSubstr("10 have been taken for orphans in the last 24h"));
  }
  EXPECT_EQ(collector_->QuarantineOrphans(Unpaced())->quarantined(), 10u);
  // Its turn comes once the others no longer count.
  EXPECT_EQ(collector_->QuarantineOrphans(Unpaced())->quarantined(), 0u);
  clock_.Advance(kOrphanAge);
  EXPECT_EQ(QuarantineOrphans().quarantined(), 1u);
  EXPECT_EQ(Metric("entrepot_gc_quarantine_share_exceeded"), 0);
}

TEST_F(OrphanQuarantineTest, ShareIsNoLongerExceededOnceTheOrphansAreGone) {
  quarantine_percent_max_ = 5;
  collector_ = NewCollector(kGrace);
  std::vector<Blob> lost;
  for (int i = 0; i < 11; ++i) lost.push_back(objects_.Upload(absl::StrCat("blob ", i)));
  clock_.Advance(kOrphanAge);
  EXPECT_EQ(collector_->QuarantineOrphans(Unpaced())->quarantined(), 0u);
  EXPECT_EQ(Metric("entrepot_gc_quarantine_share_exceeded"), 1);
  for (const Blob& blob : lost) EXPECT_OK(catalog_->blobs().Commit(kAnonymous, Repo("a"), blob));
  QuarantineOrphans();
  EXPECT_EQ(Metric("entrepot_gc_quarantine_share_exceeded"), 0);
}

TEST_F(OrphanQuarantineTest, GoesOnAfterAQuarantineThatFails) {
  for (int i = 0; i < 20; ++i) objects_.Upload(absl::StrCat("orphan ", i));
  clock_.Advance(kOrphanAge);
  int tried = 0;
  objects_.SetFault([&](absl::string_view operation, const std::string&) {
    return operation == "Quarantine" && ++tried <= 15 ? absl::UnavailableError("Permission denied") : absl::OkStatus();
  });
  absl::StatusOr<v1::Collection> run = collector_->QuarantineOrphans(Unpaced());
  EXPECT_EQ(run->quarantined(), 5u);
  EXPECT_THAT(run->error(), testing::HasSubstr("Permission denied"));
  EXPECT_EQ(Metric("entrepot_gc_failed_objects_total"), 15);
  EXPECT_EQ(QuarantineOrphans().quarantined(), 15u);
}

TEST_F(OrphanQuarantineTest, TouchesNothingIfARecordCannotBeRead) {
  const Blob blob = Pushed("blob");
  const Blob orphan = Orphan("orphan");
  const auto good = *Record(blob.digest);
  EXPECT_OK(kv_.Transact({}, [&](kv::KvTransaction& transaction) {
    transaction.Put(keys::Blob(blob.digest), "\xff");
    return absl::OkStatus();
  }));
  const absl::StatusOr<v1::Collection> run = collector_->QuarantineOrphans(Unpaced());
  EXPECT_EQ(run->quarantined(), 0u);
  EXPECT_THAT(run->error(), testing::HasSubstr("cannot be read"));
  EXPECT_TRUE(objects_.Content(orphan.storage_key).has_value());
  EXPECT_TRUE(objects_.Content(blob.storage_key).has_value());
  Write(keys::Blob(blob.digest), good);
  QuarantineOrphans();
}

TEST_F(OrphanQuarantineTest, NeverQuarantinesReferencedObjectsWhereverItStops) {
  for (int i = 0; i < 1500; ++i) Pushed(absl::StrCat("blob ", i));
  for (int i = 0; i < 250; ++i) objects_.Upload(absl::StrCat("orphan ", i));
  clock_.Advance(kOrphanAge);
  for (int stop_at = 1;; ++stop_at) {
    int steps = 0;
    const absl::StatusOr<v1::Collection> run =
        collector_->QuarantineOrphans([&](uint64_t, uint64_t) { return ++steps < stop_at; });
    ASSERT_OK(run);
    ASSERT_EQ(objects_.size() + objects_.quarantined(), 1750u);
    ASSERT_GE(objects_.size(), 1500u);
    if (run->error().empty()) break;
  }
  EXPECT_EQ(objects_.quarantined(), 250u);
}

}  // namespace
}  // namespace entrepot::manifest
