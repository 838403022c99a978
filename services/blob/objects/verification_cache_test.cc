#include "services/blob/objects/verification_cache.h"

#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"

namespace entrepot::blob {
namespace {

class VerificationCacheTest : public testing::Test {
 protected:
  FakeClock clock_;
  VerificationCache verified_{&clock_, /*objects_max=*/2};
  const StorageKey key_ = StorageKey::Random(StorageTier::kFile);
  const ObjectVersion version_{.inode = 7, .size_bytes = 100, .modified_nanoseconds = 1};
  const Digest digest_ = ComputeDigest(DigestAlgorithm::kSha256, "a");
};

TEST_F(VerificationCacheTest, FindsRecordedResults) {
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kUnknown);
  verified_.Record(key_, version_, digest_, true);
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kGood);
  EXPECT_FALSE(verified_.IsCorrupt(key_, version_));
  verified_.Record(key_, version_, digest_, false);
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kCorrupt);
  EXPECT_TRUE(verified_.IsCorrupt(key_, version_));
}

TEST_F(VerificationCacheTest, DoesNotKnowAnotherDigest) {
  for (bool good : {true, false}) {
    verified_.Record(key_, version_, digest_, good);
    EXPECT_EQ(verified_.Find(key_, version_, ComputeDigest(DigestAlgorithm::kSha256, "b")), ObjectTrust::kUnknown);
  }
}

TEST_F(VerificationCacheTest, AChangedFileIsUnknown) {
  for (bool good : {true, false}) {
    verified_.Record(key_, version_, digest_, good);
    for (auto field : {&ObjectVersion::inode, &ObjectVersion::size_bytes}) {
      ObjectVersion changed = version_;
      ++(changed.*field);
      EXPECT_EQ(verified_.Find(key_, changed, digest_), ObjectTrust::kUnknown);
      EXPECT_FALSE(verified_.IsCorrupt(key_, changed));
    }
    ObjectVersion written = version_;
    ++written.modified_nanoseconds;
    EXPECT_EQ(verified_.Find(key_, written, digest_), ObjectTrust::kUnknown);
    EXPECT_FALSE(verified_.IsCorrupt(key_, written));
  }
}

TEST_F(VerificationCacheTest, AGoodResultExpiresAfterADay) {
  const StorageKey corrupt = StorageKey::Random(StorageTier::kFile);
  verified_.Record(key_, version_, digest_, true);
  verified_.Record(corrupt, version_, digest_, false);
  clock_.Advance(VerificationCache::kGoodFor - absl::Seconds(1));
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kGood);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kUnknown);
  EXPECT_EQ(verified_.Find(corrupt, version_, digest_), ObjectTrust::kCorrupt);
}

TEST_F(VerificationCacheTest, AClockSetBackExpiresGoodResults) {
  verified_.Record(key_, version_, digest_, true);
  clock_.Advance(-absl::Hours(48));
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kUnknown);
}

TEST_F(VerificationCacheTest, ForgetsTheLeastRecentlyUsed) {
  const StorageKey second = StorageKey::Random(StorageTier::kFile);
  const StorageKey third = StorageKey::Random(StorageTier::kFile);
  verified_.Record(key_, version_, digest_, true);
  verified_.Record(second, version_, digest_, true);
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kGood);
  verified_.Record(third, version_, digest_, true);
  EXPECT_EQ(verified_.Find(key_, version_, digest_), ObjectTrust::kGood);
  EXPECT_EQ(verified_.Find(second, version_, digest_), ObjectTrust::kUnknown);
}

}  // namespace
}  // namespace entrepot::blob
