#include "services/manifest/catalog/pull_times.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/time/proto_time.h"
#include "services/kv/fault_injecting_kv_engine.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/pull_notes.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using storage::v1::ManifestUseRecord;
using storage::v1::PullRecord;
using storage::v1::PullTrackingRecord;
using testing::HasSubstr;

class PullTimesTest : public CatalogTest {
 protected:
  PullTimesTest() : pulls_(PullTimes::Create(engine_->get(), &clock_)) {}

  std::optional<absl::Time> PulledAt(const std::string& tag) {
    const auto record = kv::ReadRecord<PullRecord>(*engine_->get(), keys::Pull(a_, TagNamed(tag))).value();
    if (!record.has_value()) return std::nullopt;
    return FromTimestamp(record->pulled_at());
  }
  size_t Stored() { return CountWithPrefix("p/"); }

  std::unique_ptr<PullTimes> pulls_;
};

INSTANTIATE_TEST_SUITE_P(Engines, PullTimesTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(PullTimesTest, WritesPulls) {
  PushedImage(a_, "v1");
  PushedImage(a_, "v2");
  pulls_->Note(a_, TagNamed("v1"));
  const absl::Time pulled_at = clock_.Now();
  EXPECT_EQ(PulledAt("v1"), std::nullopt);
  clock_.Advance(absl::Minutes(5));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(PulledAt("v1"), pulled_at);
  EXPECT_EQ(PulledAt("v2"), std::nullopt);
}

TEST_P(PullTimesTest, WritesUsesOfManifestsOfCaches) {
  const RepositoryName cache = Repo("up/image");
  const std::string image = ImageJson(Upload("config"), {});
  ManifestPut put = PutByTag("v1", image);
  put.cache_of = "up";
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, cache, put));
  const auto used_at = [&]() -> std::optional<absl::Time> {
    const auto record =
        kv::ReadRecord<ManifestUseRecord>(*engine_->get(), keys::ManifestUse(cache, DigestOf(image))).value();
    if (!record.has_value()) return std::nullopt;
    return FromTimestamp(record->used_at());
  };
  const absl::Time stored_at = clock_.Now();
  EXPECT_EQ(used_at(), stored_at);
  clock_.Advance(absl::Minutes(20));
  pulls_->NoteCached(cache, DigestOf(image));
  clock_.Advance(absl::Minutes(9));
  pulls_->NoteCached(cache, DigestOf(image));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(used_at(), stored_at + absl::Minutes(20));
  clock_.Advance(absl::Minutes(1));
  pulls_->NoteCached(cache, DigestOf(image));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(used_at(), stored_at + absl::Minutes(30));
  // The record goes with the manifest, and does not come back.
  clock_.Advance(absl::Minutes(30));
  pulls_->NoteCached(cache, DigestOf(image));
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, cache, DigestOf(image)));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(used_at(), std::nullopt);
  // Hosted manifests have none.
  const std::string hosted = PushedImage(a_, "v1");
  pulls_->NoteCached(a_, DigestOf(hosted));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(CountWithPrefix("w/"), 0u);
}

TEST_P(PullTimesTest, CachesNoteEachPull) {
  RegistryCatalog::Options options;
  options.pulls = pulls_.get();
  const auto catalog = RegistryCatalog::Create(engine_->get(), &clock_, options).value();
  const RepositoryName cache = Repo("up/image");
  const std::string image = ImageJson(Upload("config"), {});
  ManifestPut put = PutByTag("v1", image);
  put.cache_of = "up";
  ASSERT_OK(catalog->manifests().Put(kAnonymous, cache, put));
  const std::string key = keys::ManifestUse(cache, DigestOf(image));
  for (const entrepot::Reference& reference :
       {entrepot::Reference(TagNamed("v1")), entrepot::Reference(DigestOf(image))}) {
    clock_.Advance(absl::Hours(1));
    ASSERT_OK(catalog->manifests().Get(kAnonymous, cache, reference, /*metadata_only=*/true));
    ASSERT_OK(pulls_->Flush());
    EXPECT_EQ(FromTimestamp(kv::ReadRecord<ManifestUseRecord>(*engine_->get(), key).value()->used_at()), clock_.Now());
  }
}

TEST_P(PullTimesTest, HasAPrecisionOfAnHour) {
  PushedImage(a_, "v1");
  pulls_->Note(a_, TagNamed("v1"));
  ASSERT_OK(pulls_->Flush());
  const absl::Time first = clock_.Now();
  clock_.Advance(absl::Minutes(59));
  pulls_->Note(a_, TagNamed("v1"));
  ASSERT_OK(pulls_->Flush());
  // Like another process, which does not know the earlier pulls.
  PullTimes::Create(engine_->get(), &clock_)->Note(a_, TagNamed("v1"));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(PulledAt("v1"), first);

  clock_.Advance(absl::Minutes(1));
  pulls_->Note(a_, TagNamed("v1"));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(PulledAt("v1"), first + absl::Hours(1));
}

TEST_P(PullTimesTest, WritesOnlyNewerPulls) {
  PushedImage(a_, "v1");
  pulls_->Note(a_, TagNamed("v1"));
  ASSERT_OK(pulls_->Flush());
  const absl::Time first = clock_.Now();
  clock_.Advance(absl::Minutes(30));
  const auto other = PullTimes::Create(engine_->get(), &clock_);
  other->Note(a_, TagNamed("v1"));
  ASSERT_OK(other->Flush());
  EXPECT_EQ(PulledAt("v1"), first);
}

TEST_P(PullTimesTest, RemovedTagHasNoPulls) {
  PushedImage(a_, "v1");
  PushedImage(a_, "v2");
  for (const char* tag : {"v1", "v2"}) pulls_->Note(a_, TagNamed(tag));
  // Before and after it is written.
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, TagNamed("v1")));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(Stored(), 1u);
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, TagNamed("v2")));
  EXPECT_EQ(Stored(), 0u);

  PushedImage(b_, "v3");
  pulls_->Note(b_, TagNamed("v3"));
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(Stored(), 1u);
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, b_));
  EXPECT_EQ(Stored(), 0u);
}

TEST_P(PullTimesTest, MovedTagKeepsItsPulls) {
  PushedImage(a_, "v1");
  pulls_->Note(a_, TagNamed("v1"));
  ASSERT_OK(pulls_->Flush());
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", ImageIn(a_, "another"))));
  EXPECT_EQ(PulledAt("v1"), clock_.Now());
}

TEST_P(PullTimesTest, AcceptsConcurrentPulls) {
  for (int i = 0; i < 200; ++i) PushedImage(a_, absl::StrCat("v", i));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        pulls_->Note(a_, TagNamed(absl::StrCat("v", i)));
        if (i % 50 != t) continue;
        EXPECT_OK(pulls_->Flush());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(Stored(), 200u);
}

TEST_P(PullTimesTest, RecordsSinceWhenPullsAreKnown) {
  const absl::Time since = clock_.Now();
  clock_.Advance(absl::Minutes(1));
  ASSERT_OK(pulls_->Flush());
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(PullTimes::Create(engine_->get(), &clock_)->Flush());
  const auto record = kv::ReadRecord<PullTrackingRecord>(*engine_->get(), keys::PullTracking()).value();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(FromTimestamp(record->since()), since);
}

TEST_P(PullTimesTest, CatalogNotesEachPullByTag) {
  PushedImage(a_, "v1");
  PushedImage(a_, "v2");
  const std::string image = PushedImage(a_, "v3");
  RegistryCatalog::Options options;
  options.pulls = pulls_.get();
  ASSERT_OK_AND_ASSIGN(const auto catalog, RegistryCatalog::Create(engine_->get(), &clock_, options));
  ASSERT_OK(catalog->manifests().Get(kAnonymous, a_, TagNamed("v1"), /*metadata_only=*/false));
  // Like most clients: HEAD by tag, then GET by digest.
  ASSERT_OK(catalog->manifests().Get(kAnonymous, a_, TagNamed("v2"), /*metadata_only=*/true));
  ASSERT_OK(catalog->manifests().Get(kAnonymous, a_, DigestOf(image), /*metadata_only=*/false));
  EXPECT_FALSE(catalog->manifests().Get(kAnonymous, a_, TagNamed("v4"), /*metadata_only=*/false).ok());
  ASSERT_OK(pulls_->Flush());
  EXPECT_EQ(PulledAt("v1"), clock_.Now());
  EXPECT_EQ(PulledAt("v2"), clock_.Now());
  EXPECT_EQ(Stored(), 2u);
}

TEST_P(PullTimesTest, RetriesFailedWrites) {
  PushedImage(a_, "v1");
  kv::FaultInjectingKvEngine faulty(engine_->get());
  const auto pulls = PullTimes::Create(&faulty, &clock_);
  ASSERT_OK(pulls->Flush());
  pulls->Note(a_, TagNamed("v1"));
  faulty.InjectAt(1, kv::Fault::kFailCommit);
  EXPECT_THAT(pulls->Flush(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Stored(), 0u);
  ASSERT_OK(pulls->Flush());
  EXPECT_EQ(PulledAt("v1"), clock_.Now());
}

TEST(PullNotesTest, AreBounded) {
  PullNotes notes;
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  size_t taken = 0;
  for (size_t i = 0; i < 2 * PullNotes::kWaitingMax; ++i) {
    if (notes.Add(absl::StrCat("key ", i), now)) ++taken;
  }
  EXPECT_LE(taken, PullNotes::kWaitingMax);
  EXPECT_GT(taken, PullNotes::kWaitingMax / 2);
  const std::vector<PullNote> waiting = notes.Take();
  EXPECT_EQ(waiting.size(), taken);
  EXPECT_TRUE(notes.Take().empty());
  notes.PutBack(waiting);
  EXPECT_EQ(notes.Take().size(), taken);
  // A note that there was no room for is not remembered as noted.
  EXPECT_TRUE(notes.Add(absl::StrCat("key ", 2 * PullNotes::kWaitingMax - 1), now));
  EXPECT_EQ(notes.Take().size(), 1u);
}

TEST(PullNotesTest, TakesNotesAfterTheClockWasSetBack) {
  PullNotes notes;
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_TRUE(notes.Add("key", now));
  notes.Take();
  EXPECT_TRUE(notes.Add("key", now + absl::Minutes(1)));
  EXPECT_TRUE(notes.Take().empty());
  EXPECT_TRUE(notes.Add("key", now - absl::Hours(24)));
  EXPECT_EQ(notes.Take().size(), 1u);
}

}  // namespace
}  // namespace entrepot::manifest
