#include "services/manifest/scrub/scrubber.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using absl::StatusCode;
using storage::v1::BlobRecord;
using storage::v1::ScrubRecord;
using testing::ElementsAre;
using testing::HasSubstr;

bool GoOn(uint64_t, uint64_t) { return true; }

class ScrubberTest : public CatalogTest {
 protected:
  ScrubberTest() { Restart(); }

  // Makes the scrubber of another process.
  void Restart() {
    registry_ = std::make_shared<prometheus::Registry>();
    scrubber_ = Scrubber::Create(engine_->get(), &clock_, &objects_, {.bytes_per_second = 7, .registry = registry_});
  }

  Blob Stored(absl::string_view content) {
    const Blob blob = objects_.Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, a_, blob));
    return blob;
  }
  std::vector<Blob> StoreBlobs(int count) {
    std::vector<Blob> blobs;
    for (int i = 0; i < count; ++i) blobs.push_back(Stored(absl::StrCat("blob ", i)));
    return blobs;
  }
  // Counts the verifications, and lets `answer` decide about each.
  void WatchVerify(std::function<absl::Status(const std::string& key)> answer) {
    objects_.SetFault([this, answer = std::move(answer)](absl::string_view operation, const std::string& key) {
      if (operation != "Verify") return absl::OkStatus();
      ++verified_;
      return answer ? answer(key) : absl::OkStatus();
    });
  }

  BlobRecord RecordOf(const Blob& blob) {
    return kv::ReadRecord<BlobRecord>(*engine_->get(), keys::Blob(blob.digest)).value().value_or(BlobRecord());
  }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }
  v1::MaintenanceStatus Status() {
    v1::MaintenanceStatus status;
    EXPECT_OK(scrubber_->FillStatus(&status));
    return status;
  }

  MemoryBlobStorage objects_{&clock_};
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Scrubber> scrubber_;
  int verified_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Engines, ScrubberTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(ScrubberTest, FindsNoDamageInGoodBlobs) {
  StoreBlobs(3);
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_EQ(report.verified(), 3u);
  EXPECT_EQ(report.verified_bytes(), 18u);
  EXPECT_EQ(report.corrupt() + report.missing(), 0u);
  EXPECT_TRUE(report.has_ended_at());
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_bytes_total 18"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_blobs_total{result=\"good\"} 3"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_corrupt_blobs 0"));
  EXPECT_THAT(Metrics(), HasSubstr(absl::StrCat("entrepot_scrub_last_success_timestamp_seconds ",
                                                absl::ToUnixSeconds(clock_.Now()))));
}

TEST_P(ScrubberTest, CorruptBlobIsNotServedUntilAPushHealsIt) {
  const Blob blob = Stored("layer");
  const std::string image = ImageJson(blob, {});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", image)));
  objects_.Overwrite(blob.storage_key, "lbyer");

  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_EQ(report.corrupt(), 1u);
  const BlobRecord corrupt = RecordOf(blob);
  EXPECT_EQ(corrupt.state(), BlobRecord::CORRUPT);
  EXPECT_EQ(FromTimestamp(corrupt.corrupt_since()), clock_.Now());
  EXPECT_TRUE(objects_.IsQuarantined(blob.storage_key));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_corrupt_blobs 1"));
  ASSERT_EQ(Status().corrupt_size(), 1);
  EXPECT_EQ(Status().corrupt(0).digest(), blob.digest.ToString());
  EXPECT_THAT(Status().corrupt(0).repositories(), ElementsAre("a"));

  EXPECT_EQ(GetOciErrorCode(catalog_->blobs().Find(kAnonymous, a_, blob.digest).status()), OciErrorCode::kBlobUnknown);
  EXPECT_EQ(GetOciErrorCode(catalog_->blobs().RenewLease(a_, blob.digest)), OciErrorCode::kBlobUnknown);
  EXPECT_EQ(GetOciErrorCode(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, a_).status()),
            OciErrorCode::kBlobUnknown);
  EXPECT_EQ(GetOciErrorCode(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, std::nullopt).status()),
            OciErrorCode::kBlobUnknown);
  EXPECT_EQ(GetOciErrorCode(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v2", image)).status()),
            OciErrorCode::kManifestBlobUnknown);
  // The manifest that refers to it is kept.
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false));

  const Blob again = objects_.Upload("layer");
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, again), IsOkAndHolds(false));
  const BlobRecord healed = RecordOf(blob);
  EXPECT_EQ(healed.state(), BlobRecord::LIVE);
  EXPECT_EQ(healed.storage_key(), again.storage_key.ToString());
  EXPECT_FALSE(healed.has_corrupt_since());
  EXPECT_TRUE(Exists(keys::DeleteIntent(blob.storage_key)));
  EXPECT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v2", image)));
  EXPECT_OK(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, a_));

  // The scrubber notices this within a minute, without another pass.
  clock_.Advance(absl::Minutes(1));
  ASSERT_OK(scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_corrupt_blobs 0"));
  EXPECT_EQ(Status().corrupt_size(), 0);
}

TEST_P(ScrubberTest, FindsMissingObjects) {
  const Blob blob = Stored("layer");
  objects_.Lose(blob.storage_key);
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunNow(GoOn));
  EXPECT_EQ(report.missing(), 1u);
  EXPECT_EQ(report.corrupt(), 0u);
  EXPECT_EQ(RecordOf(blob).state(), BlobRecord::CORRUPT);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_blobs_total{result=\"missing\"} 1"));
}

TEST_P(ScrubberTest, QueuesUnreferencedCorruptBlobForReview) {
  const Blob blob = Stored("layer");
  // As after a review while a manifest referred to it.
  ASSERT_OK(engine_->get()->Transact({{keys::Blob(blob.digest)}}, [&](kv::KvTransaction& transaction) {
    BlobRecord record = RecordOf(blob);
    transaction.Delete(keys::Review(FromTimestamp(record.review_due()), blob.digest));
    record.clear_review_due();
    kv::WriteRecord(transaction, keys::Blob(blob.digest), record);
    return absl::OkStatus();
  }));
  ASSERT_EQ(CountWithPrefix(keys::Reviews()), 0u);
  objects_.Overwrite(blob.storage_key, "other");
  ASSERT_OK(scrubber_->RunNow(GoOn));
  EXPECT_TRUE(Exists(keys::Review(FromTimestamp(RecordOf(blob).review_due()), blob.digest)));
}

TEST_P(ScrubberTest, DoesNotReportABlobThatIsDeletedMeanwhile) {
  const Blob blob = Stored("layer");
  objects_.Lose(blob.storage_key);
  WatchVerify([&](const std::string&) {
    EXPECT_OK(engine_->get()->Transact({{keys::Blob(blob.digest)}}, [&](kv::KvTransaction& transaction) {
      transaction.Delete(keys::Blob(blob.digest));
      transaction.Delete(keys::Link(blob.digest, a_));
      return absl::OkStatus();
    }));
    return absl::OkStatus();
  });
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunNow(GoOn));
  EXPECT_EQ(report.missing() + report.corrupt() + report.verified(), 0u);
  EXPECT_FALSE(Exists(keys::Blob(blob.digest)));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_blobs_total{result=\"settled\"} 1"));
}

TEST_P(ScrubberTest, DoesNotMarkABlobThatIsHealedMeanwhile) {
  const Blob blob = Stored("layer");
  objects_.Overwrite(blob.storage_key, "lbyer");
  // Another scrubber marks the blob first, and it is healed before this one marks it.
  bool first = true;
  WatchVerify([&](const std::string&) {
    if (!first) return absl::OkStatus();
    first = false;
    EXPECT_OK(Scrubber::Create(engine_->get(), &clock_, &objects_, {})->VerifyReported(blob.digest, blob.storage_key));
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, a_, objects_.Upload("layer")));
    return absl::DataLossError("other bytes");
  });
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunNow(GoOn));
  EXPECT_EQ(report.corrupt(), 0u);
  EXPECT_EQ(RecordOf(blob).state(), BlobRecord::LIVE);
}

TEST_P(ScrubberTest, DoesNotMarkAnObjectThatExistsAfterAll) {
  const Blob blob = Stored("layer");
  WatchVerify([](const std::string&) { return absl::NotFoundError("not yet"); });
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunNow(GoOn));
  EXPECT_EQ(report.missing(), 0u);
  EXPECT_EQ(RecordOf(blob).state(), BlobRecord::LIVE);
}

TEST_P(ScrubberTest, ContinuesThePassOfAnEarlierProcess) {
  StoreBlobs(10);
  objects_.SetFault([this](absl::string_view operation, const std::string&) {
    if (operation == "Verify") ++verified_;
    return verified_ >= 5 ? absl::UnavailableError("the blob service is away") : absl::OkStatus();
  });
  EXPECT_THAT(scrubber_->RunDue(absl::Hours(1), GoOn), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(Status().scrub().verified(), 4u);
  EXPECT_FALSE(Status().scrub().has_ended_at());

  Reopen();
  Restart();
  verified_ = 100;
  WatchVerify(nullptr);
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_EQ(report.verified(), 10u);
  EXPECT_EQ(verified_, 106);
  EXPECT_TRUE(report.has_ended_at());
}

TEST_P(ScrubberTest, SavesItsProgress) {
  StoreBlobs(200);
  WatchVerify([this](const std::string&) {
    clock_.Advance(absl::Seconds(1));
    return absl::OkStatus();
  });
  uint64_t most_seen = 0;
  ASSERT_OK(scrubber_->RunDue(absl::Hours(1), [&](uint64_t, uint64_t) {
    const auto record = kv::ReadRecord<ScrubRecord>(*engine_->get(), keys::Scrub()).value();
    if (record.has_value()) most_seen = record->verified();
    return true;
  }));
  EXPECT_GE(most_seen, 100u);
}

TEST_P(ScrubberTest, StopsWhenThePaceStopsIt) {
  StoreBlobs(10);
  int steps = 0;
  ASSERT_OK_AND_ASSIGN(v1::ScrubReport report,
                       scrubber_->RunDue(absl::Hours(1), [&](uint64_t operations, uint64_t bytes) {
                         EXPECT_EQ(operations, 1u);
                         EXPECT_EQ(bytes, 6u);
                         return ++steps < 3;
                       }));
  EXPECT_EQ(report.verified(), 3u);
  EXPECT_FALSE(report.has_ended_at());
  ASSERT_OK_AND_ASSIGN(report, scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_EQ(report.verified(), 10u);
  EXPECT_TRUE(report.has_ended_at());
}

TEST_P(ScrubberTest, PassIsDueAnIntervalAfterTheLastOne) {
  StoreBlobs(1);
  WatchVerify(nullptr);
  ASSERT_OK(scrubber_->RunDue(absl::Hours(1), GoOn));
  clock_.Advance(absl::Minutes(59));
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport last, scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_EQ(last.verified(), 1u);
  EXPECT_EQ(verified_, 1);
  clock_.Advance(absl::Minutes(1));
  ASSERT_OK(scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_EQ(verified_, 2);
}

TEST_P(ScrubberTest, RequestedPassReplacesThePassUnderWay) {
  StoreBlobs(200);
  bool asked = false;
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunDue(absl::Hours(1), [&](uint64_t, uint64_t) {
    if (asked) return true;
    asked = true;
    clock_.Advance(absl::Seconds(10));
    EXPECT_EQ(scrubber_->RunNow(GoOn).value().verified(), 200u);
    return true;
  }));
  EXPECT_FALSE(report.has_ended_at());
  EXPECT_LT(report.verified(), 200u);
  EXPECT_EQ(Status().scrub().verified(), 200u);
  EXPECT_TRUE(Status().scrub().has_ended_at());
}

TEST_P(ScrubberTest, RetriesFailedQuarantineInTheNextPass) {
  const Blob blob = Stored("layer");
  objects_.Overwrite(blob.storage_key, "lbyer");
  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "Quarantine" ? absl::UnavailableError("read-only") : absl::OkStatus();
  });
  ASSERT_OK(scrubber_->RunNow(GoOn));
  EXPECT_EQ(RecordOf(blob).state(), BlobRecord::CORRUPT);
  EXPECT_FALSE(objects_.IsQuarantined(blob.storage_key));
  objects_.SetFault(nullptr);
  ASSERT_OK(scrubber_->RunNow(GoOn));
  EXPECT_TRUE(objects_.IsQuarantined(blob.storage_key));
}

TEST_P(ScrubberTest, GoesOnAfterBlobsThatCannotBeVerified) {
  const std::vector<Blob> blobs = StoreBlobs(30);
  WatchVerify([&](const std::string& key) {
    const bool broken = std::any_of(blobs.begin(), blobs.begin() + 25,
                                    [&](const Blob& blob) { return blob.storage_key.ToString() == key; });
    return broken ? absl::UnavailableError("opening an object: Permission denied") : absl::OkStatus();
  });
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunDue(absl::Hours(1), GoOn));
  EXPECT_TRUE(report.has_ended_at());
  EXPECT_EQ(report.verified(), 5u);
  EXPECT_EQ(report.failed(), 25u);
  ASSERT_EQ(report.failures_size(), 20);
  EXPECT_THAT(report.failures(0).error(), HasSubstr("Permission denied"));
  EXPECT_EQ(Status().scrub().failed(), 25u);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_blobs_total{result=\"failed\"} 25"));
  for (const Blob& blob : blobs) EXPECT_EQ(RecordOf(blob).state(), BlobRecord::LIVE);
}

TEST_P(ScrubberTest, GoesOnAfterAQuarantineThatFails) {
  const Blob blob = Stored("layer");
  objects_.Overwrite(blob.storage_key, "lbyer");
  StoreBlobs(10);
  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "Quarantine" ? absl::UnavailableError("Permission denied") : absl::OkStatus();
  });
  for (int pass = 0; pass < 2; ++pass) {
    ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunDue(absl::ZeroDuration(), GoOn));
    EXPECT_TRUE(report.has_ended_at());
    EXPECT_EQ(report.verified(), 10u);
    // The first pass marks the blob; the second one only quarantines it.
    EXPECT_EQ(report.failed(), pass == 0 ? 0u : 1u);
  }
}

TEST_P(ScrubberTest, StopsIfTooManyBlobsAreDamagedUntilAnOperatorAsks) {
  const std::vector<Blob> blobs = StoreBlobs(150);
  for (const Blob& blob : blobs) objects_.Overwrite(blob.storage_key, "damage");
  for (int i = 0; i < 2; ++i) {
    const auto stopped = scrubber_->RunDue(absl::Hours(1), GoOn);
    EXPECT_THAT(stopped, StatusIs(StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(stopped.status().message()), HasSubstr("collector.quarantine_percent_max"));
    EXPECT_EQ(Status().scrub().corrupt(), 11u);
  }
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK_AND_ASSIGN(const v1::ScrubReport report, scrubber_->RunNow(GoOn));
  EXPECT_EQ(report.corrupt(), 139u);
}

TEST_P(ScrubberTest, VerifiesReportedDamage) {
  const Blob bad = Stored("bad");
  objects_.Overwrite(bad.storage_key, "dab");
  EXPECT_OK(scrubber_->VerifyReported(bad.digest, bad.storage_key));
  EXPECT_EQ(RecordOf(bad).state(), BlobRecord::CORRUPT);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_scrub_corrupt_blobs 1"));
  // Again, and reports of other bytes than the blob's.
  WatchVerify(nullptr);
  EXPECT_OK(scrubber_->VerifyReported(bad.digest, bad.storage_key));
  EXPECT_OK(scrubber_->VerifyReported(Stored("good").digest, bad.storage_key));
  EXPECT_OK(scrubber_->VerifyReported(DigestOf("unknown"), bad.storage_key));
  EXPECT_EQ(verified_, 0);
}

TEST_P(ScrubberTest, ReportedDamageThatCannotBeVerifiedChangesNothing) {
  const Blob blob = Stored("good");
  WatchVerify([](const std::string&) { return absl::UnavailableError("away"); });
  EXPECT_THAT(scrubber_->VerifyReported(blob.digest, blob.storage_key), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(RecordOf(blob).state(), BlobRecord::LIVE);
}

}  // namespace
}  // namespace entrepot::manifest
