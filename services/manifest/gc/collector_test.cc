#include "services/manifest/gc/collector.h"

#include <atomic>
#include <string>
#include <vector>

#include "services/core/time/proto_time.h"
#include "services/manifest/testing/collector_test_fixture.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Session = MemoryBlobStorage::Session;

TEST_F(CollectorTest, DeletingAManifestFreesBlobsThatNoOtherRefersTo) {
  const Digest first = PushedImage("v1");
  PushedImage("v2");
  clock_.Advance(kLease);
  EXPECT_EQ(Run().condemned(), 0u);
  EXPECT_EQ(objects_.size(), 4u);

  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, Repo("a"), first));
  EXPECT_EQ(Run().condemned(), 2u);
  EXPECT_EQ(objects_.size(), 4u);
  clock_.Advance(kGrace);
  const v1::Collection run = Run();
  EXPECT_EQ(run.deleted(), 2u);
  EXPECT_EQ(run.swept(), 2u);
  EXPECT_EQ(run.swept_bytes(), std::string("config of v1layer of v1").size());
  EXPECT_EQ(objects_.size(), 2u);
  EXPECT_EQ(Count(keys::Blobs()), 2u);
  EXPECT_EQ(Count(keys::DeleteIntents()), 0u);
}

TEST_F(CollectorTest, CollectsInOneRunWithoutGrace) {
  for (int i = 0; i < 1000; ++i) Pushed(absl::StrCat("blob ", i));
  clock_.Advance(kLease);
  const auto collector = NewCollector(absl::ZeroDuration());
  const v1::Collection run = Run(collector.get());
  EXPECT_EQ(run.condemned(), 1000u);
  EXPECT_EQ(run.deleted(), 1000u);
  EXPECT_EQ(run.swept(), 1000u);
  EXPECT_EQ(objects_.size(), 0u);
  EXPECT_EQ(Count(keys::Reviews()) + Count(keys::Blobs()) + Count(keys::Links()) + Count(keys::DeleteIntents()), 0u);
}

TEST_F(CollectorTest, ARunNowDoesNotWaitForGraces) {
  const Digest image = PushedImage("v1");
  Pushed("lately");
  clock_.Advance(kLease - absl::Minutes(1));
  // A push relies on it.
  ASSERT_OK(catalog_->blobs().Find(kAnonymous, Repo("a"), DigestOf("lately")));
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, Repo("a"), image));
  EXPECT_EQ(collector_->Run(Unpaced(), /*now=*/true)->deleted(), 0u);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Run().condemned(), 2u);
  EXPECT_EQ(Run().deleted(), 0u);
  ASSERT_OK_AND_ASSIGN(const v1::Collection run, collector_->Run(Unpaced(), /*now=*/true));
  EXPECT_EQ(run.error(), "");
  EXPECT_TRUE(run.now());
  EXPECT_EQ(run.deleted(), 2u);
  EXPECT_EQ(run.graces_skipped(), 2u);
  EXPECT_EQ(run.swept_bytes(), std::string("config of v1layer of v1").size());
  EXPECT_EQ(objects_.size(), 1u);
  EXPECT_EQ(Record(DigestOf("lately"))->state(), BlobRecord::LIVE);
}

TEST_F(CollectorTest, ARunNowCondemnsAndDeletes) {
  for (int i = 0; i < 1000; ++i) Pushed(absl::StrCat("blob ", i));
  clock_.Advance(kLease);
  ASSERT_OK_AND_ASSIGN(const v1::Collection run, collector_->Run(Unpaced(), /*now=*/true));
  EXPECT_EQ(run.error(), "");
  EXPECT_EQ(run.condemned(), 1000u);
  EXPECT_EQ(run.deleted(), 1000u);
  EXPECT_EQ(run.swept(), 1000u);
  EXPECT_EQ(objects_.size(), 0u);
  EXPECT_EQ(Count(keys::Reviews()) + Count(keys::Blobs()) + Count(keys::Links()) + Count(keys::DeleteIntents()), 0u);
}

TEST_F(CollectorTest, ARunNowLeavesUploadsAndYoungOrphans) {
  const Blob sealed = objects_.Upload("sealed", Session::kSealed);
  const Blob young = objects_.Upload("young");
  ASSERT_OK(collector_->Run(Unpaced(), /*now=*/true));
  ASSERT_OK(collector_->QuarantineOrphans(Unpaced()));
  EXPECT_TRUE(objects_.Content(sealed.storage_key).has_value());
  EXPECT_TRUE(objects_.Content(young.storage_key).has_value());
}

TEST_F(CollectorTest, ARunNowDeletesNothingDuringABackup) {
  Pushed("blob");
  clock_.Advance(kLease);
  {
    const auto pause = collector_->PauseDeletions().value();
    ASSERT_OK_AND_ASSIGN(const v1::Collection run, collector_->Run(Unpaced(), /*now=*/true));
    EXPECT_EQ(run.swept(), 0u);
    EXPECT_EQ(objects_.size(), 1u);
  }
  EXPECT_EQ(Run().swept(), 1u);
}

TEST_F(CollectorTest, SweepsSecondCopies) {
  const Blob first = Pushed("blob");
  const Blob second = Pushed("blob");
  const v1::Collection run = Run();
  EXPECT_EQ(run.swept(), 1u);
  EXPECT_TRUE(objects_.Content(first.storage_key).has_value());
  EXPECT_FALSE(objects_.Content(second.storage_key).has_value());
}

TEST_F(CollectorTest, SweepsAbandonedUploads) {
  const Blob committed = objects_.Upload("committed", Session::kAbandoned);
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, Repo("a"), committed));
  const Blob abandoned = objects_.Upload("abandoned", Session::kAbandoned);
  const Blob waiting = objects_.Upload("waiting", Session::kSealed);
  const v1::Collection run = Run();
  EXPECT_EQ(run.abandoned(), 1u);
  EXPECT_EQ(run.swept(), 1u);
  EXPECT_TRUE(objects_.Content(committed.storage_key).has_value());
  EXPECT_FALSE(objects_.Content(abandoned.storage_key).has_value());
  EXPECT_TRUE(objects_.Content(waiting.storage_key).has_value());
  EXPECT_THAT(objects_.ListAbandoned(10), IsOkAndHolds(IsEmpty()));
  // The commit of the upload comes after all.
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), abandoned), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), waiting), IsOkAndHolds(false));
}

TEST_F(CollectorTest, ReviewsManyAbandonedUploads) {
  for (int i = 0; i < 600; ++i) objects_.Upload(absl::StrCat("upload ", i), Session::kAbandoned);
  EXPECT_EQ(Run().abandoned(), 600u);
  EXPECT_EQ(objects_.size(), 0u);
}

TEST_F(CollectorTest, RefusesCommitAfterItsObjectWasSwept) {
  const Blob first = Pushed("blob");
  const Blob late = Pushed("blob");
  Run();
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), late), IsOkAndHolds(true));
  Run();
  clock_.Advance(kLease);
  const auto collector = NewCollector(absl::ZeroDuration());
  Run(collector.get());
  EXPECT_EQ(Count(keys::Blobs()) + Count(keys::DeleteIntents()), 0u);
  for (const Blob& blob : {first, late}) {
    EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), blob), IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
  EXPECT_EQ(Count(keys::Blobs()), 0u);
}

TEST_F(CollectorTest, CommitFailsIfTheBlobServiceIsUnavailable) {
  const Blob blob = objects_.Upload("blob");
  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "Check" ? absl::UnavailableError("no answer") : absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsUnavailable(catalog_->blobs().Commit(kAnonymous, Repo("a"), blob).status()));
  objects_.SetFault(nullptr);
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), blob), IsOkAndHolds(false));
}

TEST_F(CollectorTest, OnlyNewBytesHealACorruptBlob) {
  const Blob blob = Pushed("blob");
  BlobRecord record = *Record(blob.digest);
  record.set_state(BlobRecord::CORRUPT);
  *record.mutable_corrupt_since() = ToTimestamp(clock_.Now());
  Write(keys::Blob(blob.digest), record);
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo("a"), blob), IsOciError(OciErrorCode::kBlobUploadUnknown));
  const Blob again = Pushed("blob");
  EXPECT_EQ(Record(blob.digest)->state(), BlobRecord::LIVE);
  EXPECT_FALSE(Record(blob.digest)->has_corrupt_since());
  EXPECT_EQ(Record(blob.digest)->storage_key(), again.storage_key.ToString());
  EXPECT_EQ(Run().swept(), 1u);
  EXPECT_EQ(objects_.size(), 1u);
}

TEST_F(CollectorTest, LeavesFailedDeletionsForTheNextRun) {
  Pushed("blob");
  const Blob bad = Pushed("blob");
  const Blob good = Pushed("blob");
  objects_.SetFault([&](absl::string_view operation, const std::string& key) {
    return operation == "Delete" && key == bad.storage_key.ToString() ? absl::UnavailableError("a bad disk")
                                                                      : absl::OkStatus();
  });
  const absl::StatusOr<v1::Collection> run = collector_->Run(Unpaced());
  ASSERT_OK(run);
  EXPECT_THAT(run->error(), HasSubstr("a bad disk"));
  EXPECT_EQ(run->swept(), 1u);
  EXPECT_FALSE(objects_.Content(good.storage_key).has_value());
  EXPECT_TRUE(Intent(bad.storage_key).has_value());
  EXPECT_EQ(Metric("entrepot_gc_delete_intents"), 1);
  EXPECT_EQ(Metric("entrepot_gc_runs_total", "failed"), 1);
  objects_.SetFault(nullptr);
  EXPECT_EQ(Run().swept(), 1u);
  EXPECT_EQ(Metric("entrepot_gc_delete_intents"), 0);
}

TEST_F(CollectorTest, DeletesAllOthersBesideObjectsThatCannotBeDeleted) {
  for (int i = 0; i < 400; ++i) Pushed(absl::StrCat("blob ", i));
  int deletions = 0;
  objects_.SetFault([&](absl::string_view operation, const std::string&) {
    return operation == "Delete" && deletions++ < 300 ? absl::UnavailableError("Permission denied") : absl::OkStatus();
  });
  clock_.Advance(kLease);
  Run();
  clock_.Advance(kGrace);
  const absl::StatusOr<v1::Collection> run = collector_->Run(Unpaced());
  ASSERT_OK(run);
  EXPECT_THAT(run->error(), HasSubstr("Permission denied"));
  EXPECT_EQ(run->deleted(), 400u);
  EXPECT_EQ(run->swept(), 400u) << "those that failed at first are tried again at the end of the run";
  EXPECT_EQ(Metric("entrepot_gc_failed_objects_total"), 300);
}

TEST_F(CollectorTest, ReviewsContinueWhileTheBlobServiceIsUnavailable) {
  Pushed("blob");
  clock_.Advance(kLease);
  objects_.SetFault([](absl::string_view, const std::string&) { return absl::UnavailableError("away"); });
  const absl::StatusOr<v1::Collection> run = collector_->Run(Unpaced());
  EXPECT_EQ(run->condemned(), 1u);
  EXPECT_THAT(run->error(), HasSubstr("away"));
  objects_.SetFault(nullptr);
}

TEST_F(CollectorTest, PausesPreventSweeps) {
  Pushed("blob");
  Pushed("blob");
  auto first = collector_->PauseDeletions().value();
  auto second = collector_->PauseDeletions().value();
  EXPECT_EQ(Run().swept(), 0u);
  first.reset();
  EXPECT_EQ(Run().swept(), 0u);
  EXPECT_EQ(objects_.size(), 2u);
  second.reset();
  EXPECT_EQ(Run().swept(), 1u);
}

TEST_F(CollectorTest, StopsWhenThePaceStopsIt) {
  for (int i = 0; i < 500; ++i) Pushed(absl::StrCat("blob ", i));
  clock_.Advance(kLease);
  uint64_t operations = 0;
  const absl::StatusOr<v1::Collection> run = collector_->Run([&](uint64_t steps, uint64_t) {
    operations += steps;
    return operations < 100;
  });
  ASSERT_OK(run);
  EXPECT_EQ(run->condemned(), 100u);
  EXPECT_EQ(run->error(), "stopped before the end");
  EXPECT_EQ(Metric("entrepot_gc_runs_total", "stopped"), 1);
  EXPECT_EQ(Run().condemned(), 400u);
}

TEST_F(CollectorTest, ReportsItsCostToThePace) {
  Pushed("blob");
  Pushed("blob");
  uint64_t operations = 0;
  uint64_t bytes = 0;
  ASSERT_OK(collector_->Run([&](uint64_t steps, uint64_t size) {
    operations += steps;
    bytes += size;
    return true;
  }));
  EXPECT_EQ(operations, 1u);
  EXPECT_EQ(bytes, 4u);
}

TEST_F(CollectorTest, NeedsMoreOperationsIfMoreIsDue) {
  for (int i = 0; i < 300; ++i) Pushed(absl::StrCat("blob ", i));
  clock_.Advance(kLease);
  uint64_t most = 0;
  ASSERT_OK(collector_->Run([&](uint64_t, uint64_t) {
    most = std::max(most, collector_->OperationsPerSecondNeeded());
    return true;
  }));
  // A review and a deletion for each, in 15 seconds.
  EXPECT_EQ(most, 300 * 2 / 15);
  EXPECT_EQ(collector_->OperationsPerSecondNeeded(), 0u);
}

TEST_F(CollectorTest, StatusCostsAPageHoweverLongTheQueueIs) {
  for (int i = 0; i < 1500; ++i) {
    Write(keys::Review(clock_.Now(), DigestOf(absl::StrCat(i))), storage::v1::ReviewRecord());
    storage::v1::DeleteIntentRecord intent;
    intent.set_size_bytes(2);
    Write(keys::DeleteIntent(StorageKey::Random(StorageTier::kFile)), intent);
  }
  v1::MaintenanceStatus status;
  ASSERT_OK(collector_->FillStatus(&status));
  EXPECT_EQ(status.queued(), 1000u);
  EXPECT_TRUE(status.more_queued());
  EXPECT_EQ(status.due(), 1000u);
  EXPECT_TRUE(status.more_due());
  EXPECT_EQ(status.delete_intents(), 1000u);
  EXPECT_EQ(status.delete_intent_bytes(), 2000u);
  EXPECT_TRUE(status.more_delete_intents());
  Run();
}

TEST_F(CollectorTest, DryRunChangesNothing) {
  const Digest image = PushedImage("v1");
  Pushed("unneeded");
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, Repo("a"), image));
  Pushed("copied");
  Pushed("copied");
  objects_.Upload("abandoned", Session::kAbandoned);
  const auto everything = [&] { return kv_.Scan({.prefix = "", .start_after = "", .limit = 10'000}).value(); };
  const std::vector<kv::KeyValue> before = everything();

  const absl::StatusOr<v1::Collection> run = collector_->DryRun(Unpaced());
  ASSERT_OK(run);
  EXPECT_TRUE(run->dry_run());
  EXPECT_EQ(run->doomed_count(), 4u);
  EXPECT_EQ(run->doomed_size(), 4);
  EXPECT_EQ(run->doomed_bytes(), std::string("config of v1layer of v1unneededcopied").size());
  EXPECT_THAT(run->doomed(0).state(), HasSubstr("lease until 2023-11-15"));
  EXPECT_EQ(run->swept(), 1u);
  EXPECT_EQ(run->swept_bytes(), 6u);
  EXPECT_EQ(run->abandoned(), 1u);
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(objects_.size(), 6u);

  clock_.Advance(kLease);
  Run();
  EXPECT_THAT(collector_->DryRun(Unpaced())->doomed(0).state(), HasSubstr("condemned, due at 2023-11-15"));
  clock_.Advance(kGrace);
  EXPECT_EQ(collector_->DryRun(Unpaced())->doomed(0).state(), "condemned, due now");
}

TEST_F(CollectorTest, DryRunCountsABlobWithManyEntriesOnce) {
  const Digest first = PushedImage("v1");
  clock_.Advance(kLease);
  Run();
  // Reviewed while it is referenced: the record names no entry, and each deletion of a manifest adds one.
  ASSERT_OK(catalog_->blobs().Unlink(kAnonymous, Repo("a"), DigestOf("layer of v1")));
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, Repo("a"), first));
  EXPECT_EQ(Count(keys::Reviews()), 3u);
  EXPECT_EQ(collector_->DryRun(Unpaced())->doomed_count(), 2u);
}

TEST_F(CollectorTest, FillsStatus) {
  Pushed("first");
  clock_.Advance(kLease);
  Pushed("second");
  Pushed("second");
  v1::MaintenanceStatus status;
  ASSERT_OK(collector_->FillStatus(&status));
  EXPECT_EQ(status.queued(), 2u);
  EXPECT_EQ(status.due(), 1u);
  EXPECT_EQ(FromTimestamp(status.oldest_due()), clock_.Now());
  EXPECT_EQ(status.delete_intents(), 1u);
  EXPECT_EQ(status.delete_intent_bytes(), 6u);
  EXPECT_THAT(status.history(), IsEmpty());

  Run();
  ASSERT_OK(collector_->FillStatus(&status));
  EXPECT_EQ(status.due(), 0u);
  EXPECT_FALSE(status.has_oldest_due());
  EXPECT_EQ(status.delete_intents(), 0u);
  ASSERT_THAT(status.history(), SizeIs(1));
  EXPECT_EQ(status.history(0).condemned(), 1u);
  EXPECT_EQ(status.history(0).swept(), 1u);
}

TEST_F(CollectorTest, KeepsTheLastHundredRunsThatChangedSomething) {
  Pushed("blob");
  for (int i = 0; i < 103; ++i) {
    Run();
    // Most of them start at the same time.
    if (i == 50) clock_.Advance(absl::Seconds(1));
    Pushed("blob");
  }
  v1::MaintenanceStatus status;
  ASSERT_OK(collector_->FillStatus(&status));
  ASSERT_THAT(status.history(), SizeIs(100));
  EXPECT_GE(FromTimestamp(status.history(0).started_at()), FromTimestamp(status.history(99).started_at()));
  EXPECT_EQ(FromTimestamp(status.history(0).started_at()), clock_.Now());
  EXPECT_EQ(Count(keys::Collections()), 100u);
}

TEST_F(CollectorTest, CountsWhatItDoes) {
  PushedImage("v1");
  Pushed("unneeded");
  clock_.Advance(kLease + absl::Seconds(5));
  Run();
  EXPECT_EQ(Metric("entrepot_gc_reviews_total", "referenced"), 2);
  EXPECT_EQ(Metric("entrepot_gc_reviews_total", "condemned"), 1);
  EXPECT_EQ(Metric("entrepot_gc_queue_depth"), 0);
  EXPECT_EQ(Metric("entrepot_gc_oldest_overdue_seconds"), 0);
  clock_.Advance(kGrace);
  Run();
  EXPECT_EQ(Metric("entrepot_gc_reviews_total", "deleted"), 1);
  EXPECT_EQ(Metric("entrepot_gc_reclaimed_bytes_total"), 8);
  EXPECT_EQ(Metric("entrepot_gc_runs_total", "done"), 2);
  EXPECT_EQ(Metric("entrepot_gc_last_success_timestamp_seconds"),
            absl::ToDoubleSeconds(clock_.Now() - absl::UnixEpoch()));
  EXPECT_EQ(Metric("entrepot_gc_invariant_violations_total"), 0);
}

TEST_F(CollectorTest, ReportsQueueDepthAndDelay) {
  for (int i = 0; i < 300; ++i) Pushed(absl::StrCat("blob ", i));
  clock_.Advance(kLease + absl::Seconds(5));
  ASSERT_OK(collector_->Run([&](uint64_t, uint64_t) { return false; }));
  EXPECT_EQ(Metric("entrepot_gc_queue_depth"), 300);
  EXPECT_EQ(Metric("entrepot_gc_oldest_overdue_seconds"), 5);
}

TEST_F(CollectorTest, CountsAndRevivesReferencedCondemnedBlobs) {
  PushedImage("v1");
  BlobRecord record = *Record(DigestOf("layer of v1"));
  record.set_state(BlobRecord::CONDEMNED);
  Write(keys::Blob(DigestOf("layer of v1")), record);
  clock_.Advance(kLease);
  EXPECT_EQ(Run().deleted(), 0u);
  EXPECT_EQ(Metric("entrepot_gc_invariant_violations_total"), 1);
  EXPECT_EQ(Record(DigestOf("layer of v1"))->state(), BlobRecord::LIVE);
}

TEST_F(CollectorTest, RunEndsWhilePushesContinue) {
  // With each step another blob becomes due.
  int pushed = 0;
  Pushed("first");
  clock_.Advance(2 * kLease);
  const auto collector = NewCollector(absl::ZeroDuration());
  int steps = 0;
  const absl::StatusOr<v1::Collection> run = collector->Run([&](uint64_t, uint64_t) {
    if (steps++ < 10'000) {
      Pushed(absl::StrCat("blob ", pushed++));
      clock_.Advance(kLease);
    }
    return true;
  });
  EXPECT_EQ(run->error(), "");
  EXPECT_LT(steps, 10'000);
  EXPECT_FALSE(Record(DigestOf("first")).has_value());
}

}  // namespace
}  // namespace entrepot::manifest
