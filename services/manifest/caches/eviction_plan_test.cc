#include "services/manifest/caches/eviction_plan.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kManifestBytes = 10;

// Contents are made by hand: blobs of 1000 bytes, manifests of 10, each used a minute after the one before.
class EvictionPlanTest : public testing::Test {
 protected:
  EvictionPlanTest() { content_.repositories.push_back(RepositoryName::Parse("up/image").value()); }

  uint32_t Blob(uint64_t size_bytes = 1000) {
    content_.blobs.push_back({.size_bytes = size_bytes});
    return static_cast<uint32_t>(content_.blobs.size() - 1);
  }
  uint32_t Manifest(const std::vector<uint32_t>& blobs, const std::vector<uint32_t>& children = {}) {
    const auto position = static_cast<uint32_t>(content_.manifests.size());
    content_.manifests.push_back({.repository = 0,
                                  .digest = ComputeDigest(DigestAlgorithm::kSha256, absl::StrCat(position)),
                                  .used_at = At(position),
                                  .size_bytes = kManifestBytes,
                                  .blobs = blobs,
                                  .children = children});
    for (const uint32_t blob : blobs) ++content_.blobs[blob].references;
    return position;
  }
  void SetSubject(uint32_t referrer, uint32_t subject) {
    content_.manifests[referrer].subject = subject;
    content_.manifests[subject].referrers.push_back(referrer);
  }
  static absl::Time At(int64_t minute) { return absl::UnixEpoch() + absl::Minutes(minute); }

  std::vector<uint32_t> Images() const {
    std::vector<uint32_t> roots;
    for (const CachedImage& image : ImagesOf(content_)) roots.push_back(image.root);
    return roots;
  }
  std::vector<uint32_t> Chosen(uint64_t bytes_max, absl::Time used_until = absl::InfiniteFuture(),
                               const absl::flat_hash_set<uint32_t>& spared = {}) const {
    std::vector<uint32_t> roots;
    for (const CachedImage& image : ChooseImages(content_, bytes_max, used_until, spared)) roots.push_back(image.root);
    return roots;
  }

  CacheContent content_;
};

TEST_F(EvictionPlanTest, TheLeastRecentlyUsedImagesGoFirst) {
  const uint32_t a = Manifest({Blob()});
  const uint32_t b = Manifest({Blob()});
  const uint32_t c = Manifest({Blob()});
  EXPECT_EQ(RemainingContent(&content_).bytes(), 3030u);
  EXPECT_THAT(Images(), ElementsAre(a, b, c));
  EXPECT_THAT(Chosen(3030), IsEmpty());
  EXPECT_THAT(Chosen(3029), ElementsAre(a));
  EXPECT_THAT(Chosen(1010), ElementsAre(a, b));
  content_.manifests[a].used_at = At(10);
  EXPECT_THAT(Chosen(1010), ElementsAre(b, c));
  EXPECT_THAT(Chosen(0), ElementsAre(b, c, a));
}

TEST_F(EvictionPlanTest, RecentAndSparedImagesStay) {
  const uint32_t a = Manifest({Blob()});
  const uint32_t b = Manifest({Blob()});
  const uint32_t c = Manifest({Blob()});
  EXPECT_THAT(Chosen(0, At(1)), ElementsAre(a, b));
  EXPECT_THAT(Chosen(0, absl::InfiniteFuture(), {a}), ElementsAre(b, c));
}

TEST_F(EvictionPlanTest, DoesNotCountWhatAHostedImageNeeds) {
  const uint32_t shared = Blob(5000);
  content_.blobs[shared].needed_elsewhere = true;
  Manifest({shared});
  const uint32_t b = Manifest({shared, Blob()});
  EXPECT_EQ(RemainingContent(&content_).bytes(), 1020u);
  EXPECT_THAT(Chosen(0), ElementsAre(b));
}

TEST_F(EvictionPlanTest, ImagesThatFreeALayerOnlyTogetherGoTogether) {
  const uint32_t layer = Blob();
  const uint32_t a = Manifest({layer});
  const uint32_t b = Manifest({layer});
  const uint32_t c = Manifest({Blob()});
  EXPECT_THAT(Chosen(2000), ElementsAre(a, b));
  EXPECT_THAT(Chosen(0), ElementsAre(a, b, c));
  // The last user of the layer is the most recent one: the eviction of the first would free nothing.
  content_.manifests[b].used_at = At(10);
  EXPECT_THAT(Chosen(2000), ElementsAre(c));
  EXPECT_THAT(Chosen(0, At(9)), ElementsAre(c));
}

TEST_F(EvictionPlanTest, AnImageWithoutAnyBlobHereGoesForItsManifests) {
  const uint32_t a = Manifest({Blob(0)});
  const uint32_t b = Manifest({});
  EXPECT_THAT(Chosen(10), ElementsAre(a));
  EXPECT_THAT(Chosen(0), ElementsAre(a, b));
}

TEST_F(EvictionPlanTest, AnIndexGoesWithItsChildren) {
  const uint32_t layer = Blob();
  const uint32_t child = Manifest({layer});
  const uint32_t index = Manifest({}, {child});
  const uint32_t other = Manifest({Blob()});
  content_.manifests[child].used_at = At(10);
  EXPECT_THAT(Images(), ElementsAre(other, index));
  EXPECT_THAT(Chosen(1030), ElementsAre(other));
  RemainingContent rest(&content_);
  rest.RemoveImage(index);
  EXPECT_FALSE(rest.Has(child));
  EXPECT_TRUE(rest.Freed(layer));
  EXPECT_EQ(rest.bytes(), 1010u);
  EXPECT_EQ(rest.manifests(), 1u);
}

TEST_F(EvictionPlanTest, AChildOfTwoIndexesGoesWithTheLast) {
  const uint32_t layer = Blob();
  const uint32_t child = Manifest({layer});
  const uint32_t first = Manifest({}, {child});
  const uint32_t second = Manifest({}, {child});
  RemainingContent rest(&content_);
  EXPECT_THAT(rest.RemoveOne(first), IsEmpty());
  EXPECT_TRUE(rest.Has(child));
  EXPECT_FALSE(rest.Freed(layer));
  EXPECT_THAT(rest.RemoveOne(second), ElementsAre(child));
  EXPECT_THAT(Chosen(100), ElementsAre(first, second));
}

TEST_F(EvictionPlanTest, ReferrersGoWithTheirSubject) {
  const uint32_t image = Manifest({Blob()});
  const uint32_t signature = Manifest({Blob()});
  const uint32_t of_signature = Manifest({});
  SetSubject(signature, image);
  SetSubject(of_signature, signature);
  EXPECT_THAT(Images(), ElementsAre(image));
  EXPECT_EQ(ImagesOf(content_)[0].used_at, At(2));
  RemainingContent rest(&content_);
  rest.RemoveImage(image);
  EXPECT_EQ(rest.manifests(), 0u);
  EXPECT_EQ(rest.bytes(), 0u);
}

TEST_F(EvictionPlanTest, ManifestsThatKeepOneAnotherAreAnImageToo) {
  const uint32_t subject = Manifest({Blob()});
  const uint32_t index = Manifest({}, {subject});
  SetSubject(index, subject);
  EXPECT_THAT(Images(), ElementsAre(subject));
  EXPECT_THAT(Chosen(0), ElementsAre(subject));
  RemainingContent rest(&content_);
  rest.RemoveImage(subject);
  EXPECT_EQ(rest.manifests(), 0u);
}

TEST_F(EvictionPlanTest, DeepNestingNeedsNoStack) {
  uint32_t last = Manifest({Blob()});
  for (int i = 0; i < 200'000; ++i) last = Manifest({}, {last});
  EXPECT_THAT(Chosen(0), ElementsAre(last));
}

TEST_F(EvictionPlanTest, ReachesTheCapAlthoughManifestsOfImagesThatStayCount) {
  const uint32_t shared = Blob();
  content_.blobs[shared].needed_elsewhere = true;
  // Large manifests, whose eviction would free no blob.
  for (int i = 0; i < 10; ++i) content_.manifests[Manifest({shared})].size_bytes = 300;
  const uint32_t a = Manifest({Blob()});
  const uint32_t b = Manifest({Blob()});
  EXPECT_THAT(Chosen(4020), ElementsAre(a));
  EXPECT_THAT(Chosen(3500), ElementsAre(a, b));
}

}  // namespace
}  // namespace entrepot::manifest
