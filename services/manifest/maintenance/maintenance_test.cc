#include "services/manifest/maintenance/maintenance.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/core/time/proto_time.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/manifest/gc/deletion_pause.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kRules[] = "rules:\n  - repositories: [\"**\"]\n    keep: {last_tags: 1}\n";

class MaintenanceTest : public testing::Test {
 protected:
  MaintenanceTest() {
    runtime::FillDefaults(&options_.collector);
    options_.collector.set_disabled(true);
    options_.backup_directory = directory_.path() + "/backups";
    options_.registry = registry_;
    RegistryCatalog::Options catalog_options;
    catalog_options.objects = &objects_;
    catalog_options.registry = registry_;
    catalog_ = RegistryCatalog::Create(&kv_, &clock_, catalog_options).value();
    audit_ = runtime::AuditLog::Open(AuditPath(), registry_).value();
  }

  std::string AuditPath() const { return directory_.path() + "/audit.log"; }

  void Start() {
    Maintenance::Parts parts;
    parts.kv = &kv_;
    parts.clock = &clock_;
    parts.catalog = catalog_.get();
    parts.objects = &objects_;
    parts.audit = audit_.get();
    parts.since_boot = [this] { return clock_.Now() - absl::UnixEpoch() - clock_steps_; };
    parts.snapshot_kv = [this](const std::string& directory) {
      steps_ += "records ";
      return fs::create_directory(directory) ? absl::OkStatus() : absl::AlreadyExistsError(directory);
    };
    maintenance_ = Maintenance::Start(options_, parts).value();
  }

  Blob Commit(absl::string_view content) {
    const Blob blob = objects_.Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, Repo("team/app"), blob));
    return blob;
  }

  void PutImage(absl::string_view tag, const Blob& config, const Blob& layer) {
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, Repo("team/app"), PutByTag(tag, ImageJson(config, {layer}))));
  }

  absl::StatusOr<v1::Job> RunJob(const v1::StartJob& start) {
    v1::MaintainRequest request;
    request.mutable_caller()->set_account("ada");
    request.set_remote_address("192.0.2.1");
    *request.mutable_start_job() = start;
    absl::StatusOr<v1::MaintainResponse> response = maintenance_->Maintain(request);
    EXPECT_TRUE(Eventually([&] {
      if (!response.ok() || response->job().state() != v1::Job::RUNNING) return true;
      v1::MaintainRequest ask;
      ask.mutable_get_job()->set_id(response->job().id());
      response = maintenance_->Maintain(ask);
      return false;
    }));
    if (!response.ok()) return response.status();
    return response->job();
  }

  absl::Status Report(const Blob& blob) {
    absl::Notification done;
    absl::Status result;
    maintenance_->ReportDamage(blob.digest, blob.storage_key, [&](absl::Status status) {
      result = std::move(status);
      done.Notify();
    });
    EXPECT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(30)));
    return result;
  }

  v1::MaintenanceStatus Status() {
    v1::MaintainRequest request;
    request.mutable_get_status();
    return maintenance_->Maintain(request).value().status();
  }

  absl::StatusOr<v1::MaintainResponse> Accept(v1::Accept::What what) {
    v1::MaintainRequest request;
    request.mutable_caller()->set_account("ada");
    request.mutable_accept()->set_what(what);
    return maintenance_->Maintain(request);
  }

  std::string AuditText() const {
    std::ifstream file(AuditPath());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  kv::TemporaryDirectory directory_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  // By how much the clock was set.
  absl::Duration clock_steps_;
  MemoryBlobStorage objects_{&clock_};
  Maintenance::Options options_;
  std::unique_ptr<RegistryCatalog> catalog_;
  std::unique_ptr<runtime::AuditLog> audit_;
  std::string steps_;
  std::unique_ptr<Maintenance> maintenance_;
};

TEST_F(MaintenanceTest, CollectsAutomatically) {
  Commit("garbage");
  clock_.Advance(absl::Hours(25));
  options_.collector.set_disabled(false);
  options_.collector.mutable_interval()->Clear();
  options_.collector.mutable_interval()->set_nanos(1'000'000);
  Start();
  EXPECT_TRUE(Eventually([&] { return !Status().history().empty(); }));
  clock_.Advance(absl::Hours(2));
  EXPECT_TRUE(Eventually([&] { return objects_.size() == 0; }));
  EXPECT_EQ(Status().interval(), "1ms");
}

TEST_F(MaintenanceTest, APauseOfDeletionsEndsWithTheOnlyProcess) {
  ASSERT_OK(DeletionPause(&kv_, &clock_).Begin());
  options_.shared = true;
  Start();
  EXPECT_TRUE(Status().waits().deletions_paused());
  options_.shared = false;
  options_.registry = std::make_shared<prometheus::Registry>();
  Start();
  EXPECT_FALSE(Status().waits().deletions_paused());
}

TEST_F(MaintenanceTest, ProcessesThatShareTheRecordsCollectAndKnowTheJobsOfOneAnother) {
  Commit("garbage");
  clock_.Advance(absl::Hours(25));
  options_.shared = true;
  options_.collector.set_disabled(false);
  options_.collector.mutable_interval()->Clear();
  options_.collector.mutable_interval()->set_nanos(1'000'000);
  Start();
  const std::unique_ptr<Maintenance> other = std::move(maintenance_);
  options_.registry = std::make_shared<prometheus::Registry>();
  clock_.Advance(absl::Seconds(1));
  Start();
  EXPECT_TRUE(Eventually([&] { return !Status().history().empty(); }));
  clock_.Advance(absl::Hours(2));
  EXPECT_TRUE(Eventually([&] { return objects_.size() == 0; }));

  v1::MaintainRequest start;
  start.mutable_start_job()->mutable_scrub();
  ASSERT_OK_AND_ASSIGN(const v1::MaintainResponse started, other->Maintain(start));
  v1::MaintainRequest ask;
  ask.mutable_get_job()->set_id(started.job().id());
  EXPECT_TRUE(Eventually([&] {
    const absl::StatusOr<v1::MaintainResponse> answer = maintenance_->Maintain(ask);
    EXPECT_OK(answer);
    return !answer.ok() || answer->job().state() == v1::Job::DONE;
  }));
  EXPECT_EQ(Status().jobs_size(), 1);
}

TEST_F(MaintenanceTest, CollectsOnlyOnRequestIfDisabled) {
  const Blob garbage = Commit("garbage");
  clock_.Advance(absl::Hours(25));
  Start();
  v1::StartJob dry;
  dry.mutable_collect_garbage()->set_dry_run(true);
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(dry));
  EXPECT_EQ(job.collection().doomed_count(), 1u);
  EXPECT_TRUE(job.collection().dry_run());
  EXPECT_THAT(AuditText(), Not(HasSubstr("collect_garbage")));

  v1::StartJob start;
  start.mutable_collect_garbage();
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  EXPECT_EQ(job.collection().condemned(), 1u);
  EXPECT_EQ(objects_.size(), 1u);
  clock_.Advance(absl::Hours(2));
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  EXPECT_EQ(job.collection().swept_bytes(), garbage.size_bytes);
  EXPECT_EQ(objects_.size(), 0u);
  EXPECT_THAT(AuditText(), HasSubstr(R"("account":"ada","address":"192.0.2.1","command":"collect_garbage")"));
  const v1::MaintenanceStatus status = Status();
  EXPECT_EQ(status.lease(), "24h");
  EXPECT_EQ(status.grace(), "1h");
  EXPECT_EQ(status.interval(), "");
  EXPECT_EQ(status.jobs_size(), 3);
}

TEST_F(MaintenanceTest, ReportsWhatWaitsAndUntilWhen) {
  Commit("garbage");
  clock_.Advance(absl::Hours(24));
  Commit("leased");
  objects_.SetOpenUpload({.received_bytes = 5, .expires_at = clock_.Now() + absl::Hours(3)});
  Start();
  v1::StartJob start;
  start.mutable_collect_garbage();
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(start));
  const absl::Time grace_ends = clock_.Now() + absl::Hours(1);
  const absl::Time lease_ends = clock_.Now() + absl::Hours(24);
  v1::StartJob measure;
  measure.mutable_measure_usage();
  ASSERT_OK_AND_ASSIGN(const v1::Job usage, RunJob(measure));
  const v1::MaintenanceStatus status = Status();
  EXPECT_EQ(status.orphan_age(), "24h");
  for (const v1::Waits& waits : {job.collection().waits(), usage.usage().waits(), status.waits()}) {
    EXPECT_EQ(waits.condemned().count(), 1u);
    EXPECT_EQ(waits.condemned().bytes(), 7u);
    EXPECT_EQ(FromTimestamp(waits.condemned().first_at()), grace_ends);
    EXPECT_EQ(waits.leased().count(), 1u);
    EXPECT_EQ(FromTimestamp(waits.leased().last_at()), lease_ends);
  }
  for (const types::v1::UploadTotals& uploads :
       {job.collection().uploads(), usage.usage().uploads(), status.uploads()}) {
    EXPECT_EQ(uploads.idle().bytes(), 5u);
    EXPECT_EQ(FromTimestamp(uploads.idle().last_at()), clock_.Now() + absl::Hours(3));
  }
}

TEST_F(MaintenanceTest, ARunNowIsInTheAuditLog) {
  Commit("garbage");
  clock_.Advance(absl::Hours(24));
  Commit("leased");
  Start();
  v1::StartJob start;
  start.mutable_collect_garbage()->set_now(true);
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(start));
  EXPECT_TRUE(job.collection().now());
  EXPECT_EQ(job.collection().graces_skipped(), 1u);
  EXPECT_EQ(job.collection().swept_bytes(), 7u);
  EXPECT_EQ(job.collection().waits().condemned().count(), 0u);
  EXPECT_EQ(job.collection().waits().leased().count(), 1u);
  EXPECT_EQ(objects_.size(), 1u);
  EXPECT_THAT(AuditText(),
              HasSubstr(R"("account":"ada","address":"192.0.2.1","command":"collect_garbage","target":"now")"));
  start.mutable_collect_garbage()->set_any_share(true);
  ASSERT_OK(RunJob(start));
  EXPECT_THAT(AuditText(), HasSubstr(R"("target":"now any_share")"));
}

TEST_F(MaintenanceTest, CollectGarbageJobQuarantinesOrphansToo) {
  Commit("a blob, so that the records are not empty");
  objects_.Upload("orphan");
  clock_.Advance(absl::Hours(25));
  Start();
  v1::StartJob start;
  start.mutable_collect_garbage();
  uint64_t quarantined = 0;
  for (int run = 0; run < 2; ++run) {
    ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(start));
    quarantined += job.collection().quarantined();
    clock_.Advance(absl::Hours(25));
  }
  EXPECT_EQ(quarantined, 1u);
  EXPECT_EQ(objects_.quarantined(), 1u);
}

TEST_F(MaintenanceTest, HoldsBackWhileTheStoresDoNotBelongTogether) {
  const Blob blob = Commit("kept");
  Start();
  // The start binds them, and raises the generation.
  ASSERT_TRUE(Eventually([&] { return objects_.ReadOwner()->generation == 2; }));
  ASSERT_OK(objects_.WriteOwner({.catalog_id = "another", .generation = 1}));
  ASSERT_EQ(Status().held_back_size(), 1);
  EXPECT_THAT(Status().held_back(0), HasSubstr("the objects are those of catalog another"));

  v1::StartJob collect;
  collect.mutable_collect_garbage();
  v1::StartJob scrub;
  scrub.mutable_scrub();
  for (const v1::StartJob& start : {collect, scrub}) {
    ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(start));
    EXPECT_EQ(job.state(), v1::Job::FAILED);
    EXPECT_THAT(job.error(), HasSubstr("entrepotctl gc accept stores"));
  }
  objects_.Overwrite(blob.storage_key, "tepk");
  EXPECT_THAT(Report(blob), StatusIs(absl::StatusCode::kFailedPrecondition));
  objects_.Overwrite(blob.storage_key, "kept");

  ASSERT_OK_AND_ASSIGN(const v1::MaintainResponse accepted, Accept(v1::Accept::STORES));
  EXPECT_EQ(accepted.status().held_back_size(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(collect));
  EXPECT_EQ(job.state(), v1::Job::DONE);
  EXPECT_THAT(AuditText(), HasSubstr("\"command\":\"accept\",\"target\":\"STORES\",\"decision\":\"done\""));
  EXPECT_THAT(Accept(v1::Accept::WHAT_UNSPECIFIED), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MaintenanceTest, HoldsBackCollectionAfterAStepOfTheClock) {
  const Blob blob = Commit("leased");
  Start();
  EXPECT_EQ(Status().held_back_size(), 0);
  clock_steps_ = absl::Hours(48);
  clock_.Advance(absl::Hours(48));
  ASSERT_EQ(Status().held_back_size(), 1);
  v1::StartJob collect;
  collect.mutable_collect_garbage();
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(collect));
  EXPECT_EQ(job.state(), v1::Job::FAILED);
  EXPECT_THAT(job.error(), HasSubstr("the system's clock was set"));
  ASSERT_OK(Accept(v1::Accept::CLOCK));
  ASSERT_OK_AND_ASSIGN(job, RunJob(collect));
  EXPECT_EQ(job.collection().condemned(), 1u);
}

TEST_F(MaintenanceTest, ABackupIsOlderThanTheObjectsFromThenOn) {
  Commit("blob");
  Start();
  // The start binds them, and raises the generation.
  ASSERT_TRUE(Eventually([&] { return objects_.ReadOwner()->generation == 2; }));
  v1::StartJob back_up;
  back_up.mutable_back_up()->set_name("nightly");
  const uint64_t before = objects_.ReadOwner()->generation;
  ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(back_up));
  EXPECT_EQ(job.state(), v1::Job::DONE);
  EXPECT_GT(objects_.ReadOwner()->generation, before);
}

TEST_F(MaintenanceTest, CheckReportsMissingAndChangedObjects) {
  const Blob config = Commit("config");
  const Blob layer = Commit("layer");
  PutImage("v1", config, layer);
  Start();
  v1::StartJob start;
  start.mutable_check_invariants();
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(start));
  EXPECT_EQ(job.invariants().violations_size(), 0) << job.DebugString();
  EXPECT_EQ(job.invariants().blobs(), 2u);
  EXPECT_EQ(job.invariants().manifests(), 1u);
  EXPECT_EQ(job.invariants().rehashed_bytes(), 0u);

  objects_.Overwrite(layer.storage_key, "LAYER");
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  EXPECT_EQ(job.invariants().violations_size(), 0);
  start.mutable_check_invariants()->set_rehash(true);
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  ASSERT_EQ(job.invariants().violations_size(), 1);
  EXPECT_THAT(job.invariants().violations(0), HasSubstr("I1: " + layer.digest.ToString()));
  EXPECT_EQ(job.invariants().rehashed_bytes(), config.size_bytes);

  objects_.Lose(config.storage_key);
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  EXPECT_EQ(job.invariants().violations_size(), 2) << job.DebugString();
}

TEST_F(MaintenanceTest, ErrorOfACheckIsNotAViolation) {
  Commit("config");
  Start();
  objects_.SetFault([](absl::string_view, const std::string&) { return absl::UnavailableError("no blob service"); });
  v1::StartJob start;
  start.mutable_check_invariants();
  ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(start));
  EXPECT_EQ(job.state(), v1::Job::FAILED);
  EXPECT_EQ(job.error(), "no blob service");
}

TEST_F(MaintenanceTest, VerifiesReportedDamage) {
  const Blob good = Commit("good");
  const Blob blob = Commit("blob");
  Start();
  ASSERT_OK(Report(good));
  EXPECT_EQ(Status().corrupt_size(), 0);
  objects_.Overwrite(blob.storage_key, "BLOB");
  ASSERT_OK(Report(blob));
  ASSERT_EQ(Status().corrupt_size(), 1);
  EXPECT_EQ(Status().corrupt(0).digest(), blob.digest.ToString());
}

TEST_F(MaintenanceTest, NoReportWaitsForADrain) {
  const Blob blob = Commit("blob");
  Start();
  maintenance_->BeginDrain();
  EXPECT_THAT(Report(blob), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(MaintenanceTest, ScrubsAndMeasures) {
  const Blob config = Commit("config");
  const Blob layer = Commit("layer");
  PutImage("v1", config, layer);
  Start();
  v1::StartJob start;
  start.mutable_scrub();
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(start));
  EXPECT_EQ(job.scrub().verified(), 2u);
  start.mutable_measure_usage();
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  EXPECT_EQ(job.usage().stored_bytes(), config.size_bytes + layer.size_bytes + ImageJson(config, {layer}).size());
  EXPECT_EQ(job.usage().repositories(0).name(), "team/app");
}

TEST_F(MaintenanceTest, BacksUpRecordsBeforeObjects) {
  Commit("blob");
  Start();
  objects_.SetFault([this](absl::string_view operation, const std::string&) {
    if (operation == "Snapshot") steps_ += "objects ";
    return absl::OkStatus();
  });
  v1::StartJob start;
  start.mutable_back_up()->set_name("nightly");
  ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(start));
  EXPECT_EQ(job.state(), v1::Job::DONE) << job.error();
  EXPECT_EQ(steps_, "records objects ");
  EXPECT_EQ(job.backup().directory(), fs::path(options_.backup_directory + "/nightly").lexically_normal());
  EXPECT_EQ(job.backup().objects(), 1u);
  EXPECT_EQ(job.backup().blobs(), 1u);
  EXPECT_EQ(job.backup().blob_bytes(), 4u);
  EXPECT_EQ(job.backup().damaged_blobs(), 0u);
  EXPECT_TRUE(fs::is_directory(job.backup().directory() + "/kv"));
  ASSERT_OK_AND_ASSIGN(const v1::Job again, RunJob(start));
  EXPECT_EQ(again.state(), v1::Job::FAILED);
  EXPECT_THAT(again.error(), HasSubstr("there is a backup"));
  EXPECT_THAT(AuditText(), HasSubstr(R"("command":"back_up","target":"nightly","decision":"started")"));
  for (const char* name : {"", ".x", "a/b", "A", "../x"}) {
    start.mutable_back_up()->set_name(name);
    EXPECT_THAT(RunJob(start), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
  }
}

TEST_F(MaintenanceTest, BackupCountsTheBlobsThatTheCheckReports) {
  const Blob config = Commit("config");
  const Blob corrupt = Commit("corrupt");
  const Blob unneeded = Commit("unneeded");
  const Blob lost = Commit("lost");
  const Blob truncated = Commit("truncated");
  PutImage("v1", config, corrupt);
  Start();
  objects_.Overwrite(corrupt.storage_key, "CORRUPT");
  objects_.Lose(unneeded.storage_key);
  v1::StartJob scrub;
  scrub.mutable_scrub();
  ASSERT_OK_AND_ASSIGN(const v1::Job scrubbed, RunJob(scrub));
  EXPECT_EQ(scrubbed.scrub().corrupt() + scrubbed.scrub().missing(), 2u);
  objects_.Lose(lost.storage_key);
  objects_.Overwrite(truncated.storage_key, "trunc");
  const std::string barred = Commit("barred").storage_key.ToString();
  objects_.SetFault([barred](absl::string_view operation, const std::string& key) {
    return operation == "Check" && key == barred ? absl::InternalError("cannot open") : absl::OkStatus();
  });
  v1::StartJob start;
  start.mutable_back_up()->set_name("nightly");
  ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(start));
  EXPECT_EQ(job.state(), v1::Job::DONE) << job.error();
  EXPECT_EQ(job.backup().blobs(), 6u);
  EXPECT_EQ(job.backup().damaged_blobs(), 4u);
  objects_.SetFault({});
  v1::StartJob check;
  check.mutable_check_invariants();
  ASSERT_OK_AND_ASSIGN(const v1::Job checked, RunJob(check));
  EXPECT_EQ(checked.invariants().violations_size(), 3);
}

TEST_F(MaintenanceTest, FailedBackupLeavesNoBackup) {
  Start();
  objects_.SetFault([](absl::string_view, const std::string&) { return absl::UnavailableError("the disk is full"); });
  v1::StartJob start;
  start.mutable_back_up()->set_name("nightly");
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(start));
  EXPECT_EQ(job.error(), "the disk is full");
  EXPECT_TRUE(fs::is_empty(options_.backup_directory));
  objects_.SetFault({});
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  EXPECT_EQ(job.state(), v1::Job::DONE);
}

TEST_F(MaintenanceTest, AppliesRetention) {
  const Blob config = Commit("config");
  PutImage("old", config, Commit("1"));
  clock_.Advance(absl::Hours(1));
  PutImage("new", config, Commit("2"));
  Start();
  v1::StartJob start;
  start.mutable_apply_retention()->set_dry_run(true);
  EXPECT_THAT(RunJob(start), StatusIs(absl::StatusCode::kFailedPrecondition));
  start.mutable_apply_retention()->set_rules(kRules);
  ASSERT_OK_AND_ASSIGN(v1::Job job, RunJob(start));
  EXPECT_EQ(job.retention().tags(), 1u);
  EXPECT_EQ(catalog_->lists().Tags(kAnonymous, Repo("team/app"), 10, "")->tags.size(), 2u);
  start.mutable_apply_retention()->set_rules("rules: 7");
  EXPECT_THAT(RunJob(start), StatusIs(absl::StatusCode::kInvalidArgument));
  start.mutable_apply_retention()->set_rules(kRules);
  start.mutable_apply_retention()->set_dry_run(false);
  EXPECT_THAT(RunJob(start), StatusIs(absl::StatusCode::kInvalidArgument));

  maintenance_.reset();
  const std::string file = directory_.path() + "/retention.yaml";
  std::ofstream(file) << kRules;
  options_.collector.set_retention_file(file);
  options_.registry = std::make_shared<prometheus::Registry>();
  Start();
  start.mutable_apply_retention()->clear_rules();
  ASSERT_OK_AND_ASSIGN(job, RunJob(start));
  EXPECT_EQ(job.retention().tags(), 1u);
  EXPECT_EQ(catalog_->lists().Tags(kAnonymous, Repo("team/app"), 10, "")->tags.size(), 1u);
  EXPECT_THAT(AuditText(),
              HasSubstr(R"("event":"retention","account":"ada","repository":"team/app","removed":"tag old")"));
}

TEST_F(MaintenanceTest, ShowsAndCancelsOpenUploads) {
  objects_.SetOpenUpload({.id = "7", .repository = "team/app", .account = "eve", .received_bytes = 5});
  Start();
  EXPECT_EQ(Status().uploads().sessions(), 1u);
  EXPECT_EQ(Status().uploads().bytes(), 5u);
  v1::StartJob start;
  start.mutable_measure_usage();
  ASSERT_OK_AND_ASSIGN(const v1::Job job, RunJob(start));
  EXPECT_EQ(job.usage().uploads().bytes(), 5u);

  v1::MaintainRequest request;
  request.mutable_list_uploads();
  EXPECT_EQ(maintenance_->Maintain(request)->uploads().uploads_size(), 1);
  EXPECT_THAT(AuditText(), Not(HasSubstr("uploads")));
  request.mutable_caller()->set_account("ada");
  request.mutable_cancel_uploads();
  EXPECT_THAT(maintenance_->Maintain(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.mutable_cancel_uploads()->mutable_filter()->set_account("eve");
  EXPECT_EQ(maintenance_->Maintain(request)->cancelled_uploads().cancelled(), 1u);
  EXPECT_EQ(Status().uploads().sessions(), 0u);
  EXPECT_THAT(AuditText(), HasSubstr(R"("command":"cancel_uploads","target":"account=eve","decision":"done")"));
}

TEST_F(MaintenanceTest, EvictsFromCachesWhatTheCollectorThenDeletes) {
  const RepositoryName cache = Repo("up/image");
  const Blob own = objects_.Upload("layer of the cache");
  const Blob shared = Commit("shared layer");
  const Blob config = Commit("config");
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, cache, own, "up"));
  PutImage("hosted", config, shared);
  ManifestPut put = PutByTag("v1", ImageJson(config, {own, shared}));
  put.cache_of = "up";
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, cache, put));
  Start();
  const auto make_room = [&](const RoomRequest& request) {
    absl::StatusOr<types::v1::CacheEviction> eviction;
    absl::Notification done;
    maintenance_->MakeRoom(request, [&](absl::StatusOr<types::v1::CacheEviction> result) {
      eviction = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    return eviction;
  };
  RoomRequest request;
  request.upstream = "up";
  request.bytes_max = 0;
  request.also_recent = true;
  // A clock that was set may be wrong: nothing is evicted, but rooms are measured.
  EXPECT_EQ(Status().held_back_size(), 0);
  clock_steps_ = absl::Hours(48);
  clock_.Advance(absl::Hours(48));
  EXPECT_THAT(make_room(request), StatusIs(absl::StatusCode::kFailedPrecondition));
  RoomRequest measure;
  measure.upstream = "up";
  EXPECT_EQ(make_room(measure)->before().bytes(), own.size_bytes + put.content.size());
  ASSERT_OK(Accept(v1::Accept::CLOCK));
  EXPECT_EQ(make_room(request)->image_count(), 1u);
  v1::StartJob collect;
  collect.mutable_collect_garbage()->set_now(true);
  ASSERT_OK(RunJob(collect));
  EXPECT_FALSE(objects_.Content(own.storage_key).has_value());
  EXPECT_TRUE(objects_.Content(shared.storage_key).has_value());
  EXPECT_TRUE(objects_.Content(config.storage_key).has_value());
  maintenance_->BeginDrain();
  EXPECT_THAT(make_room(request), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(MaintenanceTest, RefusesUnknownCommandsAndJobs) {
  Start();
  EXPECT_THAT(RunJob({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(maintenance_->Maintain({}), StatusIs(absl::StatusCode::kInvalidArgument));
  v1::MaintainRequest request;
  request.mutable_get_job()->set_id("7");
  EXPECT_THAT(maintenance_->Maintain(request), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace entrepot::manifest
