#include "services/manifest/caches/cache_evictor.h"

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/proto_time.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using types::v1::CacheEviction;

// Layers have kLayerBytes; configs and manifests are much smaller.
constexpr size_t kLayerBytes = 100'000;

class CacheEvictorTest : public CatalogTest {
 protected:
  CacheEvictorTest() : pulls_(PullTimes::Create(engine_->get(), &clock_)) {}

  static std::string LayerContent(absl::string_view name) {
    std::string content(kLayerBytes, '.');
    content.replace(0, name.size(), name.data(), name.size());
    return content;
  }
  // Puts a manifest into a cache, a minute after what came before.
  void Put(const RepositoryName& repository, ManifestPut put, const std::string& upstream = "up") {
    clock_.Advance(absl::Minutes(1));
    put.cache_of = upstream;
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository, put));
  }
  Blob Fetched(const RepositoryName& repository, const std::string& content, const std::string& upstream = "up") {
    const Blob blob = Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository, blob, upstream));
    return blob;
  }
  // The manifest of an image with these layers, whose blobs are in the cache.
  std::string Image(const RepositoryName& repository, const std::vector<std::string>& layers,
                    absl::string_view more = "", const std::string& upstream = "up") {
    std::vector<Blob> blobs;
    for (const std::string& layer : layers) blobs.push_back(Fetched(repository, LayerContent(layer), upstream));
    return ImageJson(Fetched(repository, "config", upstream), blobs, more);
  }
  std::string CachedImage(const RepositoryName& repository, absl::string_view tag,
                          const std::vector<std::string>& layers) {
    std::string image = Image(repository, layers);
    Put(repository, PutByTag(tag, image));
    return image;
  }
  // A hosted image with the layer, and with the config of the cached ones.
  std::string HostedImage(const RepositoryName& repository, const std::string& layer) {
    std::string image = ImageJson(Pushed(repository, "config"), {Pushed(repository, LayerContent(layer))});
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag("hosted", image)));
    return image;
  }

  absl::StatusOr<CacheEviction> MakeRoom(const RoomRequest& request, std::function<void()> meanwhile = {}) {
    CacheEvictor evictor(engine_->get(), &clock_, catalog_.get(), pulls_.get());
    return evictor.MakeRoom(request, [&](uint64_t, uint64_t) {
      if (meanwhile) meanwhile();
      return true;
    });
  }
  RoomRequest Cap(uint64_t bytes_max) const {
    RoomRequest request;
    request.upstream = "up";
    request.bytes_max = bytes_max;
    return request;
  }
  RoomRequest Named(const RepositoryName& repository, const std::string& reference = "") const {
    RoomRequest request;
    request.upstream = "up";
    request.repository = repository;
    if (!reference.empty()) request.reference = ParseReference(reference).value();
    return request;
  }
  uint64_t RoomOf(const std::string& upstream = "up") {
    RoomRequest request;
    request.upstream = upstream;
    return MakeRoom(request)->before().bytes();
  }
  bool Has(const RepositoryName& repository, const std::string& manifest) {
    return catalog_->manifests().Get(kAnonymous, repository, DigestOf(manifest), true).ok();
  }
  void Use(const RepositoryName& repository, const std::string& manifest) {
    clock_.Advance(absl::Minutes(11));
    pulls_->NoteCached(repository, DigestOf(manifest));
  }
  // Afterwards nothing was used recently.
  void Rest() { clock_.Advance(absl::Hours(1)); }

  const RepositoryName cache_ = Repo("up/image");
  const RepositoryName other_ = Repo("up/other");
  std::unique_ptr<PullTimes> pulls_;
};

INSTANTIATE_TEST_SUITE_P(Engines, CacheEvictorTest, kv::EachTestEngine(), kv::TestEngineName);

std::vector<std::string> Digests(const CacheEviction& eviction) {
  std::vector<std::string> digests;
  for (const CacheEviction::Image& image : eviction.images()) digests.push_back(image.digest());
  return digests;
}
std::string Name(const std::string& manifest) { return DigestOf(manifest).ToString(); }

TEST_P(CacheEvictorTest, MeasuresWhatOnlyTheUpstreamsCachesNeed) {
  EXPECT_EQ(RoomOf(), 0u);
  const std::string first = CachedImage(cache_, "v1", {"a", "shared"});
  const std::string second = CachedImage(other_, "v1", {"b", "shared"});
  const size_t manifests = first.size() + second.size();
  const size_t config = std::string("config").size();
  EXPECT_EQ(RoomOf(), 3 * kLayerBytes + config + manifests);
  // A layer that is not here, and a blob that no manifest needs.
  Put(cache_, PutByTag("v2", ImageJson(Upload("absent config"), {Upload(LayerContent("absent"))})));
  Fetched(cache_, LayerContent("no manifest"));
  const uint64_t before = RoomOf();
  EXPECT_LT(before, 3 * kLayerBytes + 10'000);
  HostedImage(a_, "shared");
  EXPECT_EQ(RoomOf(), before - kLayerBytes - config);
  Put(Repo("down/image"), PutByTag("v1", Image(Repo("down/image"), {"a", "d"}, "", "down")), "down");
  EXPECT_EQ(RoomOf(), before - 2 * kLayerBytes - config);
  EXPECT_LT(RoomOf("down"), kLayerBytes + 10'000);
  RoomRequest measure;
  measure.upstream = "up";
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(measure));
  EXPECT_EQ(eviction.before().repositories(), 2u);
  EXPECT_EQ(eviction.before().manifests(), 3u);
  EXPECT_EQ(eviction.after().bytes(), eviction.before().bytes());
  EXPECT_EQ(eviction.image_count(), 0u);
  EXPECT_EQ(FromTimestamp(eviction.before().measured_at()), clock_.Now());
}

TEST_P(CacheEvictorTest, EvictsTheLeastRecentlyUsedImagesUntilTheCapIsKept) {
  const std::string first = CachedImage(cache_, "v1", {"a"});
  const absl::Time stored_at = clock_.Now();
  const std::string second = CachedImage(cache_, "v2", {"b"});
  const std::string third = CachedImage(other_, "v3", {"c"});
  Use(cache_, first);
  Rest();
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(2 * kLayerBytes + 10'000)));
  EXPECT_THAT(Digests(eviction), ElementsAre(Name(second)));
  EXPECT_EQ(eviction.images(0).repository(), "up/image");
  EXPECT_THAT(eviction.images(0).tags(), ElementsAre("v2"));
  EXPECT_EQ(FromTimestamp(eviction.images(0).used_at()), stored_at + absl::Minutes(1));
  EXPECT_EQ(FromTimestamp(eviction.last_used_at()), stored_at + absl::Minutes(1));
  EXPECT_EQ(eviction.image_count(), 1u);
  EXPECT_EQ(eviction.freed_bytes(), kLayerBytes + second.size());
  EXPECT_EQ(eviction.after().bytes(), RoomOf());
  EXPECT_FALSE(Has(cache_, second));
  EXPECT_TRUE(Has(cache_, first));
  EXPECT_TRUE(Has(other_, third));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, cache_, 10, "")->tags, ElementsAre("v1"));
  EXPECT_THAT(Digests(*MakeRoom(Cap(2 * kLayerBytes + 10'000))), IsEmpty());
  EXPECT_THAT(Digests(*MakeRoom(Cap(kLayerBytes + 10'000))), ElementsAre(Name(third)));
}

TEST_P(CacheEvictorTest, ADryRunEvictsNothing) {
  const std::string index = IndexJson({CachedImage(cache_, "child", {"a"})});
  Put(cache_, PutByTag("v1", index, kIndexType));
  CachedImage(cache_, "v2", {"b"});
  Rest();
  RoomRequest request = Cap(kLayerBytes + 10'000);
  request.dry_run = true;
  ASSERT_OK_AND_ASSIGN(const CacheEviction dry, MakeRoom(request));
  EXPECT_THAT(Digests(dry), ElementsAre(Name(index)));
  EXPECT_EQ(dry.before().bytes(), RoomOf());
  EXPECT_TRUE(Has(cache_, index));
  request.dry_run = false;
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(request));
  EXPECT_EQ(eviction.after().bytes(), dry.after().bytes());
  EXPECT_EQ(eviction.SerializeAsString(), dry.SerializeAsString());
}

TEST_P(CacheEvictorTest, KeepsAndDoesNotCountWhatAHostedImageNeeds) {
  const std::string shared = CachedImage(cache_, "v1", {"shared"});
  const std::string own = CachedImage(cache_, "v2", {"shared", "own"});
  const std::string hosted = HostedImage(a_, "shared");
  Rest();
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(1)));
  EXPECT_THAT(Digests(eviction), ElementsAre(Name(own)));
  EXPECT_TRUE(Has(cache_, shared));
  EXPECT_TRUE(Has(a_, hosted));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, a_, DigestOf(LayerContent("shared"))));
}

TEST_P(CacheEvictorTest, TwoImagesThatOnlyTogetherFreeALayerGoTogether) {
  const std::string first = CachedImage(cache_, "v1", {"shared"});
  const std::string second = CachedImage(other_, "v1", {"shared", "b"});
  const std::string third = CachedImage(cache_, "v3", {"c"});
  Rest();
  ASSERT_OK_AND_ASSIGN(const CacheEviction both, MakeRoom(Cap(kLayerBytes + 10'000)));
  EXPECT_THAT(Digests(both), ElementsAre(Name(first), Name(second)));
  EXPECT_EQ(both.freed_bytes(), 2 * kLayerBytes + first.size() + second.size());
  EXPECT_TRUE(Has(cache_, third));
}

TEST_P(CacheEvictorTest, AnImageThatFreesNothingStays) {
  const std::string first = CachedImage(cache_, "v1", {"shared"});
  const std::string second = CachedImage(cache_, "v2", {"b"});
  const std::string third = CachedImage(other_, "v1", {"shared", "c"});
  Rest();
  EXPECT_THAT(Digests(*MakeRoom(Cap(2 * kLayerBytes + 10'000))), ElementsAre(Name(second)));
  EXPECT_TRUE(Has(cache_, first));
  EXPECT_TRUE(Has(other_, third));
}

TEST_P(CacheEvictorTest, AnIndexWithOnePlatformHereGoesWithIt) {
  const std::string here = Image(cache_, {"a"});
  const std::string absent = ImageJson(Upload("absent config"), {Upload(LayerContent("absent"))});
  const std::string index = IndexJson({here, absent});
  Put(cache_, PutByTag("v1", index, kIndexType));
  Put(cache_, PutByDigest(here));
  const std::string newer = CachedImage(cache_, "v2", {"b"});
  // A pull by the child's digest is a use of the image.
  Use(cache_, here);
  Rest();
  EXPECT_THAT(Digests(*MakeRoom(Cap(kLayerBytes + 10'000))), ElementsAre(Name(newer)));
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(1)));
  EXPECT_THAT(Digests(eviction), ElementsAre(Name(index)));
  EXPECT_FALSE(Has(cache_, here));
  EXPECT_EQ(eviction.after().bytes(), 0u);
}

TEST_P(CacheEvictorTest, AChildOfAnotherIndexStays) {
  const std::string child = Image(cache_, {"a"});
  const std::string own = Image(cache_, {"b"});
  const std::string first = IndexJson({child, own});
  const std::string second = IndexJson({child});
  Put(cache_, PutByDigest(child));
  Put(cache_, PutByDigest(own));
  Put(cache_, PutByTag("v1", first, kIndexType));
  Put(cache_, PutByTag("v2", second, kIndexType));
  Rest();
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(kLayerBytes + 10'000)));
  EXPECT_THAT(Digests(eviction), ElementsAre(Name(first)));
  EXPECT_FALSE(Has(cache_, own));
  EXPECT_TRUE(Has(cache_, child));
  EXPECT_TRUE(Has(cache_, second));
  EXPECT_EQ(eviction.after().bytes(), RoomOf());
}

TEST_P(CacheEvictorTest, ReferrersGoWithTheirSubject) {
  const std::string image = CachedImage(cache_, "v1", {"a"});
  const std::string signature = Image(cache_, {"signature"}, SubjectMember(image));
  Put(cache_, PutByDigest(signature));
  Rest();
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(1)));
  EXPECT_THAT(Digests(eviction), ElementsAre(Name(image)));
  EXPECT_FALSE(Has(cache_, signature));
  EXPECT_EQ(CountWithPrefix("w/") + CountWithPrefix("m/"), 0u);
}

TEST_P(CacheEvictorTest, ATagThatMovedLeavesAnImageToEvict) {
  const std::string old = CachedImage(cache_, "latest", {"a"});
  const std::string current = CachedImage(cache_, "latest", {"b"});
  Rest();
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(kLayerBytes + 10'000)));
  EXPECT_THAT(Digests(eviction), ElementsAre(Name(old)));
  EXPECT_THAT(eviction.images(0).tags(), IsEmpty());
  EXPECT_EQ(catalog_->manifests().Get(kAnonymous, cache_, TagNamed("latest"), true)->digest, DigestOf(current));
}

TEST_P(CacheEvictorTest, WhatWasUsedInTheLastMinutesStays) {
  const std::string image = CachedImage(cache_, "v1", {"a"});
  EXPECT_THAT(Digests(*MakeRoom(Cap(1))), IsEmpty());
  clock_.Advance(CacheEvictor::kRecent - absl::Seconds(1));
  EXPECT_THAT(Digests(*MakeRoom(Cap(1))), IsEmpty());
  // Unless an administrator asks for it.
  RoomRequest request = Cap(1);
  request.also_recent = true;
  EXPECT_THAT(Digests(*MakeRoom(request)), ElementsAre(Name(image)));
}

TEST_P(CacheEvictorTest, APullMeanwhileKeepsTheImage) {
  const std::string stored = CachedImage(cache_, "v1", {"a"});
  const std::string used = CachedImage(cache_, "v2", {"b"});
  const std::string idle = CachedImage(cache_, "v3", {"c"});
  Rest();
  // The pace is called before each attempt, so before the first one too.
  int calls = 0;
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(1), [&] {
                         if (++calls != 4) return;
                         // All three have been chosen, and may be deleted.
                         Put(cache_, PutByTag("v1", stored));
                         pulls_->NoteCached(cache_, DigestOf(used));
                         ASSERT_OK(pulls_->Flush());
                       }));
  EXPECT_THAT(Digests(eviction), ElementsAre(Name(idle)));
  EXPECT_TRUE(Has(cache_, stored));
  EXPECT_TRUE(Has(cache_, used));
  EXPECT_EQ(eviction.after().bytes(), RoomOf());
}

TEST_P(CacheEvictorTest, AnIndexThatArrivesMeanwhileKeepsItsChild) {
  const std::string image = CachedImage(cache_, "v1", {"a"});
  Rest();
  int calls = 0;
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(Cap(1), [&] {
                         if (++calls == 2) Put(cache_, PutByTag("v2", IndexJson({image}), kIndexType));
                       }));
  EXPECT_THAT(Digests(eviction), IsEmpty());
  EXPECT_TRUE(Has(cache_, image));
}

TEST_P(CacheEvictorTest, ARepositoryThatBecameHostedMeanwhileLosesNothing) {
  const std::string image = CachedImage(cache_, "v1", {"a"});
  Rest();
  int calls = 0;
  RoomRequest request = Cap(1);
  request.also_recent = true;
  ASSERT_OK_AND_ASSIGN(const CacheEviction eviction, MakeRoom(request, [&] {
                         if (++calls != 2) return;
                         ASSERT_OK(catalog_->repositories().Delete(kAnonymous, cache_));
                         Pushed(cache_, "config");
                         Pushed(cache_, LayerContent("a"));
                         ASSERT_OK(catalog_->manifests().Put(kAnonymous, cache_, PutByTag("v1", image)));
                       }));
  EXPECT_THAT(Digests(eviction), IsEmpty());
  EXPECT_TRUE(Has(cache_, image));
}

TEST_P(CacheEvictorTest, EvictsWhatIsNamed) {
  const std::string child = Image(cache_, {"a"});
  const std::string index = IndexJson({child});
  Put(cache_, PutByDigest(child));
  Put(cache_, PutByTag("v1", index, kIndexType));
  Put(cache_, PutByTag("same", index, kIndexType));
  const std::string second = CachedImage(cache_, "v2", {"b"});
  const std::string third = CachedImage(other_, "v3", {"c"});
  ASSERT_OK_AND_ASSIGN(const CacheEviction by_tag, MakeRoom(Named(cache_, "v1")));
  EXPECT_THAT(Digests(by_tag), ElementsAre(Name(index)));
  EXPECT_THAT(by_tag.images(0).tags(), ElementsAre("same", "v1"));
  EXPECT_FALSE(Has(cache_, child));
  EXPECT_TRUE(Has(cache_, second));
  EXPECT_THAT(MakeRoom(Named(cache_, "v1")), IsOciError(OciErrorCode::kManifestUnknown));

  Put(cache_, PutByDigest(child));
  Put(cache_, PutByTag("v1", index, kIndexType));
  // A child of an index that stays.
  ASSERT_OK_AND_ASSIGN(const CacheEviction by_digest, MakeRoom(Named(cache_, Name(child))));
  EXPECT_THAT(Digests(by_digest), ElementsAre(Name(child)));
  EXPECT_TRUE(Has(cache_, index));

  ASSERT_OK_AND_ASSIGN(const CacheEviction all, MakeRoom(Named(cache_)));
  EXPECT_EQ(all.image_count(), 2u);
  EXPECT_FALSE(Has(cache_, index));
  EXPECT_FALSE(Has(cache_, second));
  EXPECT_TRUE(Has(other_, third));
}

TEST_P(CacheEvictorTest, RefusesWhatIsNoCacheOfTheUpstream) {
  HostedImage(a_, "hosted");
  Put(Repo("down/image"), PutByTag("v1", Image(Repo("down/image"), {"d"}, "", "down")), "down");
  EXPECT_THAT(MakeRoom(Named(a_)), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(MakeRoom(Named(a_, "hosted")), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(MakeRoom(Named(Repo("down/image"))), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(MakeRoom(Named(Repo("up/never"))), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_TRUE(absl::IsInvalidArgument(MakeRoom(RoomRequest()).status()));
  RoomRequest request;
  request.upstream = "up";
  request.reference = TagNamed("v1");
  EXPECT_TRUE(absl::IsInvalidArgument(MakeRoom(request).status()));
}

TEST_P(CacheEvictorTest, ProtectedImagesStayAndOthersGoInTheirPlace) {
  UsePolicy("immutable_tags: [{repositories: ['**'], tags: ['keep*']}]");
  const std::string kept = CachedImage(cache_, "keep-1", {"a"});
  const std::string second = CachedImage(cache_, "v2", {"b"});
  const std::string third = CachedImage(cache_, "v3", {"c"});
  Rest();
  RoomRequest request = Cap(2 * kLayerBytes + 10'000);
  request.dry_run = true;
  EXPECT_THAT(Digests(*MakeRoom(request)), ElementsAre(Name(second)));
  request.dry_run = false;
  EXPECT_THAT(Digests(*MakeRoom(request)), ElementsAre(Name(second)));
  EXPECT_TRUE(Has(cache_, kept));
  EXPECT_THAT(MakeRoom(Named(cache_, "keep-1")), IsOciError(OciErrorCode::kDenied));
  EXPECT_THAT(Digests(*MakeRoom(Named(cache_))), ElementsAre(Name(third)));
}

TEST_P(CacheEvictorTest, StopsWhenItsPaceEnds) {
  CachedImage(cache_, "v1", {"a"});
  Rest();
  CacheEvictor evictor(engine_->get(), &clock_, catalog_.get(), nullptr);
  const absl::Status status = evictor.MakeRoom(Cap(1), [](uint64_t, uint64_t) { return false; }).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

// Pulls put manifests, and use them, while images are evicted. What the catalog answers must stay consistent: the
// fixture checks all invariants at the end.
TEST_P(CacheEvictorTest, EvictsBesidePullsAndPushes) {
  constexpr int kImages = 6;
  std::vector<std::string> images;
  for (int i = 0; i < kImages; ++i) images.push_back(Image(cache_, {absl::StrCat("layer ", i / 2)}));
  const std::string hosted = HostedImage(a_, "layer 0");
  std::atomic<bool> pulling = true;
  std::thread puller([&] {
    for (int round = 0; round < 40; ++round) {
      const std::string& image = images[round % kImages];
      ManifestPut put = PutByTag(absl::StrCat("t", round % 3), image);
      put.cache_of = "up";
      EXPECT_OK(catalog_->manifests().Put(kAnonymous, cache_, put));
      put = PutByDigest(IndexJson({image, images[(round + 1) % kImages]}), kIndexType);
      put.cache_of = "up";
      EXPECT_OK(catalog_->manifests().Put(kAnonymous, cache_, put));
      EXPECT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("hosted", hosted)));
    }
    pulling = false;
  });
  RoomRequest request = Cap(kLayerBytes / 2);
  request.also_recent = true;
  while (pulling) EXPECT_OK(MakeRoom(request));
  puller.join();
  EXPECT_OK(MakeRoom(request));
  EXPECT_TRUE(Has(a_, hosted));
  EXPECT_LE(RoomOf(), kLayerBytes);
}

}  // namespace
}  // namespace entrepot::manifest
