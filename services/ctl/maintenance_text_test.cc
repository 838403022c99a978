#include "services/ctl/maintenance_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MaintenanceTextTest, Collections) {
  v1::Collection collection;
  collection.set_reviewed(3);
  collection.set_deleted(1);
  collection.set_swept(1);
  collection.set_swept_bytes(2048);
  EXPECT_EQ(CollectionText(collection), "reviewed 3 blobs, condemned 0, deleted 1; deleted 1 object, 2.0 KiB\n");
  collection.set_quarantined(2);
  collection.set_error("the blob service is gone\x1b[2J");
  EXPECT_THAT(CollectionText(collection), HasSubstr("quarantined 2 unreferenced objects\n"));
  EXPECT_THAT(CollectionText(collection), HasSubstr("left for the next run: the blob service is gone?[2J\n"));

  v1::Collection dry;
  dry.set_dry_run(true);
  dry.set_doomed_count(5);
  dry.set_doomed_bytes(7);
  v1::DoomedBlob& doomed = *dry.add_doomed();
  doomed.set_digest("sha256:aa");
  doomed.set_state("due now");
  const std::string text = CollectionText(dry);
  EXPECT_THAT(text, HasSubstr("5 blobs, 7 B, would be deleted; nothing was changed\n"));
  EXPECT_THAT(text, HasSubstr("sha256:aa"));
  EXPECT_THAT(text, HasSubstr("and 4 more\n"));
}

TEST(MaintenanceTextTest, Status) {
  v1::MaintenanceStatus status;
  status.set_queued(4);
  status.set_due(2);
  status.mutable_oldest_due()->set_seconds(1'700'000'000);
  status.set_lease("24h");
  status.set_grace("1h");
  const std::string text = CollectionStatusText(status);
  EXPECT_THAT(text, HasSubstr("4 blobs, of them 2 due, the oldest since 2023-11-14 22:13:20"));
  EXPECT_THAT(text, HasSubstr("lease 24h, grace 1h, runs only when it is told to"));
  EXPECT_THAT(text, HasSubstr("\nunfinished           not known: the blob service does not answer\n"));
  status.mutable_uploads()->set_sessions(3);
  status.mutable_uploads()->set_bytes(2048);
  EXPECT_THAT(CollectionStatusText(status), HasSubstr("\nunfinished           3 open uploads, 2.0 KiB\n"));
  EXPECT_THAT(text, HasSubstr("no run has changed anything yet"));
  EXPECT_THAT(ScrubStatusText(status), HasSubstr("no pass has started yet\nno blob is corrupt\n"));
  status.add_corrupt()->set_digest("sha256:bb");
  EXPECT_THAT(ScrubStatusText(status), HasSubstr("sha256:bb"));
}

TEST(MaintenanceTextTest, Violations) {
  v1::InvariantReport report;
  report.set_blobs(2);
  report.set_manifests(1);
  EXPECT_EQ(InvariantsText(report), "no violations: 2 blobs, 1 manifest\n");
  report.add_violations("I1: sha256:aa is gone");
  report.set_rehashed_bytes(1024);
  EXPECT_EQ(InvariantsText(report), "I1: sha256:aa is gone\n1 violation: 2 blobs, 1 manifest, 1.0 KiB read again\n");
  report.set_absent(3);
  EXPECT_THAT(InvariantsText(report),
              HasSubstr(" read again; manifests refer to 3 absent blobs or manifests, which is no violation\n"));
}

TEST(MaintenanceTextTest, UsageContainsTheSavedBytes) {
  v1::Usage usage;
  v1::Usage::Repository& repository = *usage.add_repositories();
  repository.set_name("team/app");
  repository.set_bytes(3 << 20);
  repository.set_own_bytes(1 << 20);
  usage.set_repository_count(2);
  usage.set_blobs(3);
  usage.set_stored_bytes(4 << 20);
  usage.set_unlinked_bytes(1 << 20);
  usage.set_linked_bytes(5 << 20);
  usage.mutable_uploads()->set_sessions(1);
  usage.mutable_uploads()->set_bytes(2 << 20);
  const std::string text = UsageText(usage);
  EXPECT_THAT(text, HasSubstr("team/app"));
  EXPECT_THAT(text, HasSubstr("and 1 smaller repositories"));
  EXPECT_THAT(text, HasSubstr("stored  4.0 MiB in 3 blobs\nsaved   2.0 MiB"));
  EXPECT_THAT(text, HasSubstr("garbage 1.0 MiB"));
  EXPECT_THAT(text, HasSubstr("uploads 1 open upload, 2.0 MiB\n"));
}

TEST(MaintenanceTextTest, Uploads) {
  EXPECT_EQ(UploadListText({}), "0 open uploads, 0 B\n");
  types::v1::CancelledUploads cancelled;
  EXPECT_EQ(CancelledUploadsText(cancelled), "cancelled 0 uploads\n");
  cancelled.set_cancelled(1);
  cancelled.set_in_use(2);
  EXPECT_EQ(CancelledUploadsText(cancelled), "cancelled 1 upload; 2 uploads in use end with their requests\n");
}

TEST(MaintenanceTextTest, Retention) {
  v1::RetentionReport report;
  report.set_tags(1);
  v1::RetentionReport::Removal& removal = *report.add_removals();
  removal.set_repository("team/app");
  removal.set_what("tag v1");
  EXPECT_THAT(RetentionText(report), HasSubstr("1 tag and 0 manifests removed\n"));
  report.set_dry_run(true);
  report.set_kept_immutable(2);
  EXPECT_THAT(RetentionText(report), HasSubstr("would be removed; nothing was changed; kept 2 immutable tags\n"));
  EXPECT_THAT(RetentionText(report), Not(HasSubstr("REMOVED")));
}

}  // namespace
}  // namespace entrepot::ctl
