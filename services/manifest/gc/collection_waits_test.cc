#include "services/manifest/gc/collection_waits.h"

#include <cstdint>
#include <limits>
#include <string>

#include "services/core/time/proto_time.h"
#include "services/manifest/testing/collector_test_fixture.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;

class CollectionWaitsTest : public CollectorTest {
 protected:
  static constexpr size_t kAll = std::numeric_limits<size_t>::max();

  v1::Waits Waits(size_t limit = kAll) {
    const absl::StatusOr<v1::Waits> waits = ReadWaits(kv_, objects_, clock_.Now(), limit, Pace());
    EXPECT_OK(waits);
    return *waits;
  }
  // A LIVE blob without bytes that is in the queue until the end of its lease.
  void WriteLeased(const std::string& content, absl::Time until) {
    BlobRecord record;
    record.set_state(BlobRecord::LIVE);
    record.set_storage_key(StorageKey::Random(StorageTier::kFile).ToString());
    record.set_size_bytes(content.size());
    *record.mutable_lease_until() = ToTimestamp(until);
    *record.mutable_review_due() = ToTimestamp(until);
    Write(keys::Blob(DigestOf(content)), record);
    Write(keys::Review(until, DigestOf(content)), storage::v1::ReviewRecord());
  }
};

TEST_F(CollectionWaitsTest, NothingWaitsInAnEmptyRegistry) {
  const v1::Waits waits = Waits();
  EXPECT_EQ(waits.condemned().count() + waits.leased().count() + waits.deletable().count(), 0u);
  EXPECT_FALSE(waits.condemned().has_first_at());
  EXPECT_TRUE(waits.has_quarantined());
}

TEST_F(CollectionWaitsTest, HasTheEndsOfLeasesAndGraces) {
  Pushed("first");
  clock_.Advance(absl::Minutes(10));
  Pushed("second");
  PushedImage("v1");
  const absl::Time start = clock_.Now();
  v1::Waits waits = Waits();
  // Not those that a manifest refers to.
  EXPECT_EQ(waits.leased().count(), 2u);
  EXPECT_EQ(waits.leased().bytes(), std::string("firstsecond").size());
  EXPECT_FALSE(waits.leased().more());
  EXPECT_EQ(FromTimestamp(waits.leased().first_at()), start - absl::Minutes(10) + kLease);
  EXPECT_EQ(FromTimestamp(waits.leased().last_at()), start + kLease);
  EXPECT_EQ(waits.condemned().count(), 0u);

  clock_.Advance(kLease - absl::Minutes(10));
  // Due now.
  EXPECT_EQ(Waits().leased().count(), 1u);
  Run();
  waits = Waits();
  EXPECT_EQ(waits.condemned().count(), 1u);
  EXPECT_EQ(waits.condemned().bytes(), 5u);
  EXPECT_EQ(FromTimestamp(waits.condemned().first_at()), clock_.Now() + kGrace);
  EXPECT_EQ(FromTimestamp(waits.condemned().last_at()), clock_.Now() + kGrace);
  EXPECT_EQ(waits.leased().count(), 1u);
}

TEST_F(CollectionWaitsTest, HasTheEndOfALeaseThatWasRenewed) {
  Pushed("blob");
  clock_.Advance(kLease - absl::Hours(1));
  ASSERT_OK(catalog_->blobs().Find(kAnonymous, Repo("a"), DigestOf("blob")));
  EXPECT_EQ(FromTimestamp(Waits().leased().last_at()), clock_.Now() + kLease);
}

TEST_F(CollectionWaitsTest, CountsABlobWithManyEntriesOnce) {
  Pushed("blob");
  Write(keys::Review(clock_.Now() + absl::Hours(1), DigestOf("blob")), storage::v1::ReviewRecord());
  EXPECT_EQ(Waits().leased().count(), 1u);
}

TEST_F(CollectionWaitsTest, HasDeletableAndQuarantinedObjects) {
  Pushed("blob");
  Pushed("blob");
  const Blob damaged = objects_.Upload("damaged");
  ASSERT_OK(objects_.Quarantine(damaged.storage_key));
  v1::Waits waits = Waits();
  EXPECT_EQ(waits.deletable().count(), 1u);
  EXPECT_EQ(waits.deletable().bytes(), 4u);
  EXPECT_EQ(FromTimestamp(waits.deletable().first_at()), clock_.Now());
  EXPECT_EQ(waits.quarantined().count(), 1u);
  EXPECT_EQ(waits.quarantined().bytes(), 7u);

  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "CountQuarantined" ? absl::UnavailableError("no answer") : absl::OkStatus();
  });
  waits = Waits();
  EXPECT_FALSE(waits.has_quarantined());
  EXPECT_EQ(waits.deletable().count(), 1u);
}

TEST_F(CollectionWaitsTest, CountsUpToALimitAndFindsTheLastTime) {
  const absl::Time start = clock_.Now();
  // An overdue entry does not take the place of one that waits.
  Write(keys::Review(start - absl::Hours(1), DigestOf("gone")), storage::v1::ReviewRecord());
  for (int i = 1; i <= 600; ++i) WriteLeased(absl::StrCat("blob ", i), start + absl::Minutes(i));
  v1::Waits waits = Waits(300);
  EXPECT_EQ(waits.leased().count(), 300u);
  EXPECT_TRUE(waits.leased().more());
  EXPECT_EQ(FromTimestamp(waits.leased().first_at()), start + absl::Minutes(1));
  EXPECT_GE(FromTimestamp(waits.leased().last_at()), start + absl::Minutes(600));
  EXPECT_LE(FromTimestamp(waits.leased().last_at()), start + absl::Minutes(600) + absl::Seconds(1));
  EXPECT_TRUE(waits.condemned().more());
  EXPECT_FALSE(waits.condemned().has_last_at());

  waits = Waits(600);
  EXPECT_EQ(waits.leased().count(), 600u);
  EXPECT_FALSE(waits.leased().more());
  EXPECT_EQ(FromTimestamp(waits.leased().last_at()), start + absl::Minutes(600));
  // These blobs have no bytes.
  for (int i = 1; i <= 600; ++i) {
    const Digest digest = DigestOf(absl::StrCat("blob ", i));
    ASSERT_OK(kv_.Transact({}, [&](kv::KvTransaction& transaction) {
      transaction.Delete(keys::Blob(digest));
      return absl::OkStatus();
    }));
  }
}

TEST_F(CollectionWaitsTest, ADeletionPauseIsShown) {
  EXPECT_FALSE(collector_->ReadWaits(Unpaced())->deletions_paused());
  const auto pause = collector_->PauseDeletions().value();
  EXPECT_TRUE(collector_->ReadWaits(Unpaced())->deletions_paused());
}

}  // namespace
}  // namespace entrepot::manifest
