#include "services/manifest/gc/blob_review.h"

#include "services/core/time/proto_time.h"
#include "services/manifest/testing/collector_test_fixture.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using storage::v1::ReviewRecord;

class BlobReviewTest : public CollectorTest {
 protected:
  absl::Time OwnDue(const Digest& digest) { return FromTimestamp(Record(digest)->review_due()); }
  BlobReview Review(absl::Time due, const Digest& digest) {
    const absl::StatusOr<BlobReview> review = ReviewBlob(kv_, clock_, {.grace = kGrace}, due, digest);
    EXPECT_OK(review);
    return *review;
  }
  BlobReview ReviewOwn(const Digest& digest) { return Review(OwnDue(digest), digest); }
  absl::Time AddStray(absl::Time due, const Digest& digest) {
    Write(keys::Review(due, digest), ReviewRecord());
    return due;
  }
  Blob Condemned(absl::string_view content) {
    Blob blob = Pushed(content);
    clock_.Advance(kLease);
    EXPECT_EQ(ReviewOwn(blob.digest).result, ReviewResult::kCondemned);
    return blob;
  }
};

TEST_F(BlobReviewTest, KeepsABlobUntilItsLeaseEnds) {
  const Blob blob = Pushed("blob");
  clock_.Advance(kLease / 2);
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, Repo("b"), objects_.Upload("blob")));
  // The entry is due at the end of the first lease.
  const absl::Time due = OwnDue(blob.digest);
  clock_.Advance(kLease / 2 - absl::Microseconds(1));
  const BlobReview review = Review(due, blob.digest);
  EXPECT_EQ(review.result, ReviewResult::kLeased);
  EXPECT_EQ(Record(blob.digest)->state(), BlobRecord::LIVE);
  EXPECT_EQ(Count(keys::Reviews()), 1u);
  EXPECT_EQ(OwnDue(blob.digest), FromTimestamp(Record(blob.digest)->lease_until()));
}

TEST_F(BlobReviewTest, KeepsReferencedBlobsWithoutAnEntry) {
  PushedImage("v1");
  const Digest layer = DigestOf("layer of v1");
  clock_.Advance(10 * kLease);
  EXPECT_EQ(ReviewOwn(layer).result, ReviewResult::kReferenced);
  EXPECT_EQ(Record(layer)->state(), BlobRecord::LIVE);
  EXPECT_FALSE(Record(layer)->has_review_due());
  EXPECT_EQ(Count(keys::Reviews()), 1u);
}

TEST_F(BlobReviewTest, CondemnsAndThenDeletesAnUnreferencedBlobWithItsLinks) {
  const Blob blob = Pushed("blob");
  ASSERT_OK(catalog_->blobs().Mount(kAnonymous, Repo("b"), blob.digest, Repo("a")));
  clock_.Advance(kLease);
  const BlobReview condemned = ReviewOwn(blob.digest);
  EXPECT_EQ(condemned.result, ReviewResult::kCondemned);
  EXPECT_EQ(condemned.next, clock_.Now() + kGrace);
  EXPECT_EQ(OwnDue(blob.digest), condemned.next);
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, Repo("a"), blob.digest), IsOciError(OciErrorCode::kBlobUnknown));

  clock_.Advance(kGrace);
  const BlobReview deleted = ReviewOwn(blob.digest);
  EXPECT_EQ(deleted.result, ReviewResult::kDeleted);
  EXPECT_EQ(deleted.deleted->storage_key, blob.storage_key);
  EXPECT_FALSE(Record(blob.digest).has_value());
  EXPECT_EQ(Count(keys::Links()), 0u);
  EXPECT_EQ(Count(keys::Reviews()), 0u);
  ASSERT_TRUE(Intent(blob.storage_key).has_value());
  EXPECT_EQ(Intent(blob.storage_key)->size_bytes(), blob.size_bytes);
  EXPECT_EQ(Intent(blob.storage_key)->digest(), blob.digest.ToString());
}

TEST_F(BlobReviewTest, AnOlderEntryDoesNotShortenTheGrace) {
  const Blob blob = Condemned("blob");
  const absl::Time due = OwnDue(blob.digest);
  const absl::Time stray = AddStray(clock_.Now() - absl::Hours(2), blob.digest);
  EXPECT_EQ(Review(stray, blob.digest).result, ReviewResult::kWaiting);
  EXPECT_EQ(Record(blob.digest)->state(), BlobRecord::CONDEMNED);
  EXPECT_EQ(OwnDue(blob.digest), due);
  EXPECT_EQ(Count(keys::Reviews()), 1u);
}

TEST_F(BlobReviewTest, KeepsTheEntryIfTheClockIsSetBack) {
  const Blob blob = Condemned("blob");
  clock_.Advance(kGrace);
  const absl::Time due = OwnDue(blob.digest);
  // Between the read of the queue and the review.
  clock_.Advance(-kGrace / 2);
  EXPECT_EQ(Review(due, blob.digest).result, ReviewResult::kWaiting);
  clock_.Advance(kGrace);
  EXPECT_EQ(Review(due, blob.digest).result, ReviewResult::kDeleted);
}

TEST_F(BlobReviewTest, ReviewsEntriesThatTheRecordDoesNotName) {
  const Blob blob = Pushed("blob");
  clock_.Advance(kLease);
  const absl::Time stray = AddStray(clock_.Now(), blob.digest);
  EXPECT_EQ(Review(stray, blob.digest).result, ReviewResult::kCondemned);
  EXPECT_EQ(Count(keys::Reviews()), 1u);
  EXPECT_EQ(OwnDue(blob.digest), clock_.Now() + kGrace);
}

TEST_F(BlobReviewTest, CommitRevivesACondemnedBlob) {
  const Blob old = Condemned("blob");
  const Blob blob = Pushed("blob");
  clock_.Advance(kGrace);
  EXPECT_EQ(ReviewOwn(blob.digest).result, ReviewResult::kLeased);
  EXPECT_EQ(Record(blob.digest)->storage_key(), blob.storage_key.ToString());
  EXPECT_TRUE(Intent(old.storage_key).has_value());
  EXPECT_FALSE(Intent(blob.storage_key).has_value());
}

TEST_F(BlobReviewTest, RemovesEntriesOfDeletedBlobs) {
  const Digest digest = DigestOf("never pushed");
  const absl::Time stray = AddStray(clock_.Now(), digest);
  EXPECT_EQ(Review(stray, digest).result, ReviewResult::kUnknown);
  EXPECT_EQ(Review(stray, digest).result, ReviewResult::kGone);
  EXPECT_EQ(Count(keys::Reviews()), 0u);
}

TEST_F(BlobReviewTest, RevivesAReferencedCondemnedBlob) {
  PushedImage("v1");
  const Digest layer = DigestOf("layer of v1");
  BlobRecord record = *Record(layer);
  record.set_state(BlobRecord::CONDEMNED);
  Write(keys::Blob(layer), record);
  clock_.Advance(kLease);
  EXPECT_EQ(ReviewOwn(layer).result, ReviewResult::kRevived);
  EXPECT_EQ(Record(layer)->state(), BlobRecord::LIVE);
  EXPECT_GT(Record(layer)->generation(), record.generation());
}

// A layer that was absent when its image was pushed.
TEST_F(BlobReviewTest, KeepsALayerThatArrivesAfterItsImage) {
  policy_ = policy::Policy::Parse("incomplete_manifests: [{repositories: [a], allow: [absent_layers]}]", "p").value();
  const std::string image = ImageJson(Pushed("config"), {Upload("layer")});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, Repo("a"), PutByTag("v1", image)));
  const Blob layer = Pushed("layer");
  clock_.Advance(10 * kLease);
  EXPECT_EQ(ReviewOwn(layer.digest).result, ReviewResult::kReferenced);
  EXPECT_EQ(Record(layer.digest)->state(), BlobRecord::LIVE);

  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, Repo("a"), DigestOf(image)));
  EXPECT_EQ(Review(clock_.Now(), layer.digest).result, ReviewResult::kCondemned);
}

// Everything of a cached image arrives after its manifest.
TEST_F(BlobReviewTest, KeepsBlobsThatArriveAfterTheirCachedImage) {
  const RepositoryName cache = Repo("up/image"), other = Repo("up/other");
  ManifestPut put = PutByTag("v1", ImageJson(Upload("config"), {Upload("layer"), Upload("linked")}));
  put.cache_of = "up";
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, cache, put));
  for (const char* const blob : {"config", "layer"}) {
    ASSERT_OK(catalog_->blobs().Commit(kAnonymous, cache, objects_.Upload(blob), "up"));
  }
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, other, objects_.Upload("linked"), "up"));
  ASSERT_OK(catalog_->blobs().FindOrLinkNeeded(kAnonymous, cache, DigestOf("linked")));
  clock_.Advance(10 * kLease);
  for (const char* const blob : {"config", "layer", "linked"}) {
    EXPECT_EQ(ReviewOwn(DigestOf(blob)).result, ReviewResult::kReferenced) << blob;
    EXPECT_OK(catalog_->blobs().Find(kAnonymous, cache, DigestOf(blob))) << blob;
  }

  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, cache, DigestOf(put.content)));
  clock_.Advance(kLease);
  EXPECT_EQ(Run().condemned(), 3u);
}

TEST_F(BlobReviewTest, KeepsAForeignLayerThatArrivesAfterItsImage) {
  const Blob layer = Upload("layer");
  const std::string image =
      absl::StrCat(R"({"schemaVersion":2,"config":)", DescriptorOf(Pushed("config"), kConfigType), R"(,"layers":[)",
                   DescriptorOf(layer, "application/vnd.oci.image.layer.nondistributable.v1.tar"), "]}");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, Repo("a"), PutByTag("v1", image)));
  Pushed("layer");
  clock_.Advance(10 * kLease);
  EXPECT_EQ(ReviewOwn(layer.digest).result, ReviewResult::kReferenced);
}

// The image was accepted without the layer, because it was condemned already.
TEST_F(BlobReviewTest, RevivesACondemnedLayerOfALaterImage) {
  policy_ = policy::Policy::Parse("incomplete_manifests: [{repositories: [a], allow: [absent_layers]}]", "p").value();
  const Blob layer = Condemned("layer");
  const std::string image = ImageJson(Pushed("config"), {layer});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, Repo("a"), PutByTag("v1", image)));
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, Repo("a"), layer.digest), IsOciError(OciErrorCode::kBlobUnknown));
  clock_.Advance(kGrace);
  EXPECT_EQ(ReviewOwn(layer.digest).result, ReviewResult::kReferenced);
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, Repo("a"), layer.digest));
}

TEST_F(BlobReviewTest, KeepsAReferencedCorruptBlobAndDeletesAnUnreferencedOne) {
  const Digest image = PushedImage("v1");
  const Digest layer = DigestOf("layer of v1");
  BlobRecord record = *Record(layer);
  record.set_state(BlobRecord::CORRUPT);
  *record.mutable_corrupt_since() = ToTimestamp(clock_.Now());
  Write(keys::Blob(layer), record);
  clock_.Advance(kLease);
  EXPECT_EQ(ReviewOwn(layer).result, ReviewResult::kReferenced);
  EXPECT_EQ(Record(layer)->state(), BlobRecord::CORRUPT);

  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, Repo("a"), image));
  EXPECT_EQ(Review(clock_.Now(), layer).result, ReviewResult::kCondemned);
  EXPECT_TRUE(Record(layer)->has_corrupt_since());
  clock_.Advance(kGrace);
  EXPECT_EQ(ReviewOwn(layer).result, ReviewResult::kDeleted);
}

TEST_F(BlobReviewTest, KeepsAnUnreadableRecord) {
  const Blob blob = Pushed("blob");
  const BlobRecord good = *Record(blob.digest);
  BlobRecord broken = good;
  broken.set_storage_key("nowhere");
  Write(keys::Blob(blob.digest), broken);
  clock_.Advance(kLease);
  EXPECT_TRUE(absl::IsDataLoss(ReviewBlob(kv_, clock_, {.grace = kGrace}, OwnDue(blob.digest), blob.digest).status()));
  EXPECT_EQ(Record(blob.digest)->storage_key(), "nowhere");
  EXPECT_EQ(Count(keys::Reviews()), 1u);
  Write(keys::Blob(blob.digest), good);
}

TEST_F(BlobReviewTest, SkipsAGraceUnlessAPullMayStillRead) {
  const Blob blob = Condemned("blob");
  EXPECT_EQ(ReviewOwn(blob.digest).result, ReviewResult::kWaiting);
  // A pull may have found the blob half a lease before the end of its lease. With so short a lease, that is less than a
  // grace ago.
  const ReviewTerms short_lease{.grace = kGrace, .skip_grace_by_lease = kGrace};
  EXPECT_THAT(ReviewBlob(kv_, clock_, short_lease, OwnDue(blob.digest), blob.digest)->result, ReviewResult::kWaiting);
  clock_.Advance(kGrace / 2 - absl::Microseconds(1));
  EXPECT_THAT(ReviewBlob(kv_, clock_, short_lease, OwnDue(blob.digest), blob.digest)->result, ReviewResult::kWaiting);
  EXPECT_EQ(Record(blob.digest)->state(), BlobRecord::CONDEMNED);
  EXPECT_EQ(Count(keys::Reviews()), 1u);
  clock_.Advance(absl::Microseconds(1));
  ASSERT_OK_AND_ASSIGN(const BlobReview review, ReviewBlob(kv_, clock_, short_lease, OwnDue(blob.digest), blob.digest));
  EXPECT_EQ(review.result, ReviewResult::kDeleted);
  EXPECT_TRUE(review.skipped_grace);
}

TEST_F(BlobReviewTest, SkippingGracesKeepsLeasesAndReferences) {
  const ReviewTerms skipping{.grace = kGrace, .skip_grace_by_lease = kLease};
  const Blob leased = Pushed("leased");
  EXPECT_EQ(ReviewBlob(kv_, clock_, skipping, OwnDue(leased.digest), leased.digest)->result, ReviewResult::kLeased);
  EXPECT_EQ(Record(leased.digest)->state(), BlobRecord::LIVE);
  PushedImage("v1");
  const Digest layer = DigestOf("layer of v1");
  clock_.Advance(kLease);
  EXPECT_EQ(ReviewBlob(kv_, clock_, skipping, OwnDue(layer), layer)->result, ReviewResult::kReferenced);
  // The pushed blob is CONDEMNED when it is pushed again.
  const Blob blob = Condemned("blob");
  const absl::Time due = OwnDue(blob.digest);
  Pushed("blob");
  EXPECT_NE(ReviewBlob(kv_, clock_, skipping, due, blob.digest)->result, ReviewResult::kDeleted);
  EXPECT_EQ(Record(blob.digest)->state(), BlobRecord::LIVE);
}

}  // namespace
}  // namespace entrepot::manifest
