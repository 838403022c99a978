#include "services/ctl/output/maintenance_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

namespace v1 = manifest::v1;
using ::testing::ContainsRegex;
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
  EXPECT_THAT(text, HasSubstr("4 blobs, in use or not, of them 2 due, the oldest since 2023-11-14 22:13:20"));
  EXPECT_THAT(text, HasSubstr("lease 24h, grace 1h, runs only when it is told to; an object without a record is"));
  EXPECT_THAT(text, HasSubstr("\nunfinished           not known: the blob service does not answer\n"));
  status.mutable_uploads()->set_sessions(3);
  status.mutable_uploads()->set_bytes(2048);
  EXPECT_THAT(CollectionStatusText(status), HasSubstr("\nunfinished           3 open uploads, 2.0 KiB\n"));
  EXPECT_THAT(text, HasSubstr("no run has changed anything yet"));
  EXPECT_THAT(ScrubStatusText(status), HasSubstr("no pass has started yet\nno blob is corrupt\n"));
  status.add_corrupt()->set_digest("sha256:bb");
  EXPECT_THAT(ScrubStatusText(status), HasSubstr("sha256:bb"));
}

TEST(MaintenanceTextTest, WhatWaits) {
  v1::Collection collection;
  collection.mutable_waits();
  EXPECT_THAT(CollectionText(collection), HasSubstr("\n\nnothing waits to be deleted\n"));
  const auto fill = [](uint64_t count, uint64_t bytes, int64_t first, int64_t last, types::v1::Waiting* waiting) {
    waiting->set_count(count);
    waiting->set_bytes(bytes);
    waiting->mutable_first_at()->set_seconds(first);
    waiting->mutable_last_at()->set_seconds(last);
  };
  constexpr int64_t kStart = 1'700'000'000;
  v1::Waits& waits = *collection.mutable_waits();
  fill(2, 2048, kStart, kStart + 60, waits.mutable_condemned());
  fill(1, 5, kStart, kStart, waits.mutable_leased());
  fill(3, 5, kStart, kStart, waits.mutable_deletable());
  waits.mutable_quarantined()->set_count(1000);
  waits.mutable_quarantined()->set_more(true);
  collection.mutable_uploads()->set_sessions(3);
  fill(2, 7, kStart, kStart + 24 * 60 * 60, collection.mutable_uploads()->mutable_idle());
  fill(1, 9, kStart, kStart, collection.mutable_uploads()->mutable_sealed());
  const char* const expected =
      "WAITS                COUNT          SIZE     UNTIL (UTC)                                 REASON\n"
      "condemned blobs      2              2.0 KiB  2023-11-14 22:13:20 to 22:14:20             grace: pulls may read "
      "them\n"
      "unreferenced blobs   1              5 B      2023-11-14 22:13:20                         lease: pushes may need "
      "them; "
      "then a grace\n"
      "deletable objects    3              5 B      the next run                                a run deletes them\n"
      "quarantined objects  at least 1000  0 B      a push or an operator                       damaged, or without a "
      "record\n"
      "open uploads         2              7 B      2023-11-14 22:13:20 to 2023-11-15 22:13:20  they expire if no "
      "request "
      "follows\n"
      "sealed uploads       1              9 B      2023-11-14 22:13:20                         pushes may commit "
      "them\n"
      "requests use 1 upload now\n"
      "gc run --now does not wait for graces\n"
      "no command skips leases: a push that runs may need the blobs\n"
      "a push of the same content heals a damaged blob; other quarantined objects stay\n";
  EXPECT_THAT(CollectionText(collection), HasSubstr(expected));
  v1::MaintenanceStatus status;
  *status.mutable_waits() = waits;
  *status.mutable_uploads() = collection.uploads();
  EXPECT_THAT(CollectionStatusText(status), HasSubstr(expected));
  v1::Usage usage;
  *usage.mutable_waits() = waits;
  *usage.mutable_uploads() = collection.uploads();
  EXPECT_THAT(UsageText(usage), HasSubstr(expected));
  collection.set_now(true);
  EXPECT_THAT(CollectionText(collection),
              HasSubstr("pulls may have found the condemned blobs less than a grace ago\n"));
  waits.set_deletions_paused(true);
  EXPECT_THAT(CollectionText(collection), HasSubstr("the end of the backup"));
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
              HasSubstr(" read again; manifests refer to 3 absent blobs or manifests, which is not a violation\n"));
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

TEST(MaintenanceTextTest, UsageShowsWhichRepositoriesAreCaches) {
  v1::Usage usage;
  usage.add_repositories()->set_name("team/app");
  EXPECT_THAT(UsageText(usage), Not(HasSubstr("CACHE OF")));
  usage.add_repositories()->set_name("docker.io/library/nginx");
  usage.mutable_repositories(1)->set_cache_of("docker.io");
  EXPECT_THAT(UsageText(usage), ContainsRegex("TAGS +CACHE OF +LAST USED \\(UTC\\)\n"));
  EXPECT_THAT(UsageText(usage), ContainsRegex("team/app .* - +-\n"));
  EXPECT_THAT(UsageText(usage), ContainsRegex("docker.io/library/nginx .* docker.io +-\n"));
  usage.mutable_repositories(1)->mutable_last_used_at()->set_seconds(86400);
  EXPECT_THAT(UsageText(usage), ContainsRegex("docker.io/library/nginx .* docker.io +1970-01-02 00:00:00\n"));
  EXPECT_THAT(RepositoryUsageText(usage.repositories(1)), HasSubstr("CACHE OF"));
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
