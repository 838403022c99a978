#include "services/upstream/upstream_cache.h"

#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/upstream/registry/upstream_error.h"
#include "services/upstream/upstream_cache_test_fixture.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Status Failure(UpstreamFailure failure) { return UpstreamError(failure, "the upstream fails for a test"); }
const absl::Status kDown = Failure(UpstreamFailure::kUnavailable);

// Manifests by digest
// --------------------------------------------------------------------------------------------------

TEST_F(UpstreamCacheTest, FetchesAManifestOnceAndNeverAsksAgain) {
  const Digest digest = AddManifest("{}", "v1");
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve(digest.ToString(), i == 2));
    EXPECT_EQ(manifest.digest, digest);
    EXPECT_EQ(manifest.media_type, kType);
    EXPECT_EQ(manifest.size_bytes, 2u);
    EXPECT_TRUE(manifest.stored);
    EXPECT_EQ(manifest.stale_reason, "");
    clock_.Advance(absl::Hours(1000));
    upstream_->FailAll(kDown);
  }
  EXPECT_EQ(heads() + gets(), 1);
  EXPECT_EQ(store_.manifests_put(), 1);
  EXPECT_EQ(Resolves("miss"), 1);
  EXPECT_EQ(Resolves("hit"), 2);
}

TEST_F(UpstreamCacheTest, AnswersAHeadOfAMissingDigestByAHead) {
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve(digest.ToString(), true));
  EXPECT_FALSE(manifest.stored);
  EXPECT_EQ(manifest.size_bytes, 2u);
  EXPECT_EQ(gets(), 0);
}

TEST_F(UpstreamCacheTest, RemembersForAShortTimeThatAManifestIsMissing) {
  WriteFile("    negative_ttl: 20s\n");
  for (const std::string& reference : {std::string("v1"), ComputeDigest(DigestAlgorithm::kSha256, "x").ToString()}) {
    const int before = gets();
    for (int i = 0; i < 3; ++i) EXPECT_THAT(Resolve(reference), IsOciError(OciErrorCode::kManifestUnknown));
    EXPECT_EQ(gets(), before + 1);
    clock_.Advance(absl::Seconds(21));
    EXPECT_THAT(Resolve(reference), IsOciError(OciErrorCode::kManifestUnknown));
    EXPECT_EQ(gets(), before + 2);
  }
  EXPECT_EQ(Resolves("negative"), 8);
  clock_.Advance(absl::Seconds(21));
  const Digest digest = AddManifest("{}", "v1");
  EXPECT_EQ(Resolve("v1")->digest, digest);
}

TEST_F(UpstreamCacheTest, RemembersARefusalForTenSeconds) {
  upstream_->FailAll(Failure(UpstreamFailure::kDenied));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Resolve("v1"), IsOciError(OciErrorCode::kDenied));
  EXPECT_EQ(gets(), 1);
  AddManifest("{}", "v1");
  upstream_->FailAll(absl::OkStatus());
  clock_.Advance(absl::Seconds(10));
  EXPECT_OK(Resolve("v1"));
}

TEST_F(UpstreamCacheTest, RemembersNoFailure) {
  AddManifest("{}", "v1");
  upstream_->FailAll(kDown);
  const absl::StatusOr<ResolvedManifest> failed = Resolve("v1");
  EXPECT_THAT(failed, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_TRUE(GetRetryAfter(failed.status()).has_value());
  EXPECT_EQ(Resolves("failed"), 1);
  upstream_->FailAll(absl::OkStatus());
  EXPECT_OK(Resolve("v1"));
}

TEST_F(UpstreamCacheTest, ReportsAManifestThatTheRegistryCannotKeep) {
  AddManifest("{}", "v1");
  store_.refusal = OciError(OciErrorCode::kManifestInvalid, "no such type");
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<ResolvedManifest> manifest = Resolve("v1");
    EXPECT_THAT(manifest, IsOciError(OciErrorCode::kManifestInvalid));
    EXPECT_THAT(std::string(manifest.status().message()), HasSubstr("cannot keep the manifest \"v1\""));
    EXPECT_THAT(std::string(manifest.status().message()), HasSubstr("no such type"));
  }
  EXPECT_EQ(gets(), 1);
}

// Tags
// -----------------------------------------------------------------------------------------------------------------

TEST_F(UpstreamCacheTest, TrustsATagForItsTime) {
  WriteFile("    tag_ttl: 100s\n");
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  AddManifest("{ }", "v1");
  clock_.Advance(absl::Seconds(89));
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v1"));
  EXPECT_EQ(manifest.digest, digest);
  EXPECT_EQ(manifest.age, absl::Seconds(89));
  EXPECT_EQ(heads(), 0);
  EXPECT_EQ(gets(), 1);
}

TEST_F(UpstreamCacheTest, ConfirmsATagByAHead) {
  WriteFile("    tag_ttl: 100s\n");
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  clock_.Advance(absl::Seconds(111));
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v1"));
  EXPECT_EQ(manifest.digest, digest);
  EXPECT_EQ(manifest.age, absl::ZeroDuration());
  EXPECT_EQ(manifest.stale_reason, "");
  EXPECT_EQ(Resolves("revalidated"), 1);
  ASSERT_OK(Resolve("v1"));
  EXPECT_EQ(heads(), 1);
  EXPECT_EQ(gets(), 1);
  // The time of the confirmation outlives the process.
  Open();
  ASSERT_OK(Resolve("v1"));
  EXPECT_EQ(heads(), 1);
}

TEST_F(UpstreamCacheTest, AsksForEachPullWithoutATime) {
  WriteFile("    tag_ttl: 0s\n");
  AddManifest("{}", "v1");
  for (int i = 0; i < 3; ++i) ASSERT_OK(Resolve("v1"));
  EXPECT_EQ(heads(), 2);
  EXPECT_EQ(gets(), 1);
}

TEST_F(UpstreamCacheTest, FollowsATagThatHasMoved) {
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  const Digest moved = AddManifest("{ }", "v1");
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Resolve("v1", true)->digest, moved);
  EXPECT_EQ(gets(), 2);
  EXPECT_EQ(store_.FindManifest(app_, *Tag::Parse("v1"), false)->content, "{ }");
}

TEST_F(UpstreamCacheTest, FetchesNoManifestThatAnotherTagHasBrought) {
  AddManifest("{}", "v1");
  const Digest moved = AddManifest("{ }", "v2");
  ASSERT_OK(Resolve("v1"));
  ASSERT_OK(Resolve("v2"));
  AddManifest("{ }", "v1");
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Resolve("v1")->digest, moved);
  EXPECT_EQ(gets(), 2);
  EXPECT_EQ(store_.FindManifest(app_, *Tag::Parse("v1"), true)->digest, moved);
}

TEST_F(UpstreamCacheTest, FollowsATagOfAnUpstreamWithoutDigestsInItsHeads) {
  upstream_->HideDigests();
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest first, Resolve("v1", true));
  EXPECT_EQ(first.digest, digest);
  EXPECT_TRUE(first.stored);
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Resolve("v1")->digest, digest);
  EXPECT_EQ(store_.manifests_put(), 1);
  const Digest moved = AddManifest("{ }", "v1");
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Resolve("v1")->digest, moved);
}

TEST_F(UpstreamCacheTest, AnswersAHeadOfAMissingTagByAHeadAndStoresWhatFollows) {
  const Digest digest = AddManifest("{}", "v1");
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v1", true));
    EXPECT_FALSE(manifest.stored);
    EXPECT_EQ(manifest.digest, digest);
    EXPECT_EQ(manifest.media_type, kType);
    EXPECT_EQ(manifest.size_bytes, 2u);
  }
  EXPECT_EQ(heads(), 1);
  EXPECT_EQ(gets(), 0);
  // As containerd and the kubelet do.
  EXPECT_TRUE(Resolve(digest.ToString())->stored);
  EXPECT_EQ(store_.FindManifest(app_, *Tag::Parse("v1"), true)->digest, digest);
  upstream_->FailAll(kDown);
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Resolve("v1")->digest, digest);
}

TEST_F(UpstreamCacheTest, AHeadOfAMissingTagFindsAManifestThatIsHere) {
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  AddManifest("{}", "v2");
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v2", true));
  EXPECT_TRUE(manifest.stored);
  EXPECT_EQ(store_.FindManifest(app_, *Tag::Parse("v2"), true)->digest, digest);
  EXPECT_EQ(gets(), 1);
}

TEST_F(UpstreamCacheTest, TheCatalogsTagDecides) {
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  // The process ended before it noted the new digest.
  const Digest moved = AddManifest("{ }", "v1");
  ASSERT_OK(store_.PutManifest(app_, "up.example", kType, "{ }", *Tag::Parse("v1")));
  EXPECT_EQ(Resolve("v1")->digest, moved);
  EXPECT_EQ(heads(), 1);
}

TEST_F(UpstreamCacheTest, PinsOfTheFileDecide) {
  const Digest pinned = AddManifest("{}", "old");
  AddManifest("{ }", "v1");
  WriteFile("    pins:\n      - repository: team/app\n        tag: v1\n        digest: " + pinned.ToString() + "\n");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Resolve("v1")->digest, pinned);
    upstream_->FailAll(kDown);
    clock_.Advance(absl::Hours(1));
  }
  EXPECT_EQ(gets(), 1);
}

// Stale tags
// -----------------------------------------------------------------------------------------------------------

class StaleTagTest : public UpstreamCacheTest, public testing::WithParamInterface<UpstreamFailure> {};

TEST_P(StaleTagTest, IsServedWhileTheUpstreamDoesNotConfirmIt) {
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  clock_.Advance(absl::Hours(1));
  upstream_->FailAll(Failure(GetParam()));
  for (int i = 0; i < 8; ++i) {
    ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v1", i % 2 == 0));
    EXPECT_EQ(manifest.digest, digest);
    EXPECT_TRUE(manifest.stored);
    EXPECT_THAT(manifest.stale_reason, HasSubstr("fails for a test"));
    EXPECT_EQ(manifest.age, absl::Hours(1));
  }
  EXPECT_EQ(Resolves("stale"), 8);
  // Also after a restart.
  Open();
  EXPECT_THAT(Resolve("v1")->stale_reason, HasSubstr("fails for a test"));
  upstream_->FailAll(absl::OkStatus());
  clock_.Advance(absl::Hours(2));
  EXPECT_TRUE(Eventually([&] { return Resolve("v1")->stale_reason.empty(); }));
  EXPECT_EQ(Resolve("v1")->age, absl::ZeroDuration());
}

INSTANTIATE_TEST_SUITE_P(EveryFailure, StaleTagTest,
                         testing::Values(UpstreamFailure::kNotFound, UpstreamFailure::kDenied,
                                         UpstreamFailure::kRateLimited, UpstreamFailure::kUnavailable,
                                         UpstreamFailure::kInvalid),
                         [](const auto& info) { return std::string(ToString(info.param)); });

TEST_F(UpstreamCacheTest, ADeletedTagIsAskedForOnceInItsTime) {
  WriteFile("    negative_ttl: 20s\n");
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  upstream_->DeleteTag("team/app", "v1");
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Resolve("v1")->stale_reason, HasSubstr("no such tag"));
  EXPECT_EQ(heads(), 1);
  clock_.Advance(absl::Seconds(21));
  EXPECT_OK(Resolve("v1"));
  EXPECT_EQ(heads(), 2);
}

TEST_F(UpstreamCacheTest, AnUpstreamThatFailsIsNotAskedForEachPull) {
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  clock_.Advance(absl::Hours(1));
  upstream_->FailAll(kDown);
  for (int i = 0; i < 100; ++i) EXPECT_OK(Resolve("v1"));
  EXPECT_EQ(heads(), 3);
  // What is not here is refused at once, too.
  EXPECT_THAT(Resolve("v2"), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(gets(), 1);
  EXPECT_EQ(cache_->Status().upstreams(0).state(), "the upstream fails for a test");
  // The probe runs behind a pull.
  upstream_->HoldManifests();
  clock_.Advance(absl::Minutes(1));
  EXPECT_NE(Resolve("v1")->stale_reason, "");
  EXPECT_TRUE(Eventually([&] { return upstream_->waiting() == 1; }));
  EXPECT_NE(Resolve("v1")->stale_reason, "");
  upstream_->FailAll(absl::OkStatus());
  upstream_->ReleaseManifests();
  EXPECT_TRUE(Eventually([&] { return Resolve("v1")->stale_reason.empty(); }));
  EXPECT_EQ(heads(), 4);
  EXPECT_EQ(cache_->Status().upstreams(0).state(), "ok");
}

TEST_F(UpstreamCacheTest, ServesAStaleTagUntilItsEnd) {
  WriteFile("    tag_ttl: 60s\n    stale_max: 2h\n");
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  clock_.Advance(absl::Hours(2));
  upstream_->FailAll(Failure(UpstreamFailure::kNotFound));
  EXPECT_OK(Resolve("v1"));
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(Resolve("v1"), IsOciError(OciErrorCode::kManifestUnknown));
  upstream_->FailAll(kDown);
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(Resolve("v1"), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(UpstreamCacheTest, ATagOfUnknownAgeBecomesStaleWhenItIsFirstSeen) {
  WriteFile("    tag_ttl: 60s\n    stale_max: 2h\n");
  const Digest digest = *store_.PutManifest(app_, "up.example", kType, "{}", *Tag::Parse("v1"));
  upstream_->FailAll(kDown);
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v1"));
  EXPECT_EQ(manifest.digest, digest);
  EXPECT_NE(manifest.stale_reason, "");
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(Resolve("v1"), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(UpstreamCacheTest, ServesTheOldManifestIfTheNewOneCannotBeFetched) {
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  AddManifest("{ }", "v1");
  clock_.Advance(absl::Hours(1));
  store_.refusal = OciError(OciErrorCode::kManifestInvalid, "no such type");
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v1"));
  EXPECT_EQ(manifest.digest, digest);
  EXPECT_THAT(manifest.stale_reason, HasSubstr("no such type"));
  EXPECT_OK(Resolve("v1"));
  EXPECT_EQ(gets(), 2);
}

// Recalled tags
// --------------------------------------------------------------------------------------------------------

TEST_F(UpstreamCacheTest, RecallsATagWhileItIsFresh) {
  WriteFile("    tag_ttl: 100s\n");
  EXPECT_FALSE(Recall("v1").has_value());
  const Digest digest = AddManifest("{}", "v1");
  EXPECT_EQ(Resolve("v1")->valid_for, UpstreamCache::kFreshAnswerLifetime);
  clock_.Advance(absl::Seconds(80));
  EXPECT_EQ(Resolve("v1")->valid_for, UpstreamCache::kFreshAnswerLifetime);
  const std::optional<RecalledTag> recalled = Recall("v1");
  ASSERT_TRUE(recalled.has_value());
  EXPECT_EQ(recalled->digest, digest);
  EXPECT_EQ(recalled->stale_reason, "");
  EXPECT_EQ(recalled->age, absl::Seconds(80));
  EXPECT_FALSE(Recall("v2").has_value());
  clock_.Advance(absl::Seconds(9));
  EXPECT_LE(Resolve("v1")->valid_for, absl::Seconds(21));
  EXPECT_TRUE(Recall("v1").has_value());
  clock_.Advance(absl::Seconds(22));
  EXPECT_FALSE(Recall("v1").has_value());
  EXPECT_EQ(heads(), 0);
}

TEST_F(UpstreamCacheTest, RecallsNothingThatMustBeConfirmedAtEachPull) {
  WriteFile("    tag_ttl: 0s\n");
  AddManifest("{}", "v1");
  EXPECT_EQ(Resolve("v1")->valid_for, absl::ZeroDuration());
  EXPECT_FALSE(Recall("v1").has_value());
}

TEST_F(UpstreamCacheTest, RecallsNothingThatIsNotStored) {
  AddManifest("{}", "v1");
  const ResolvedManifest head = *Resolve("v1", true);
  EXPECT_FALSE(head.stored);
  EXPECT_EQ(head.valid_for, absl::ZeroDuration());
}

TEST_F(UpstreamCacheTest, RecallsAStaleTagWhileItsUpstreamIsNotAsked) {
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  clock_.Advance(absl::Hours(1));
  EXPECT_FALSE(Recall("v1").has_value());
  upstream_->FailAll(kDown);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Resolve("v1")->valid_for, UpstreamCache::kStaleAnswerLifetime);
  const std::optional<RecalledTag> recalled = Recall("v1");
  ASSERT_TRUE(recalled.has_value());
  EXPECT_EQ(recalled->digest, digest);
  EXPECT_EQ(recalled->stale_reason, Resolve("v1")->stale_reason);
  EXPECT_EQ(recalled->age, absl::Hours(1));
  EXPECT_FALSE(Recall("v2").has_value());
  // A pull must ask whether it responds again. The others do not wait meanwhile.
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(Recall("v1").has_value());
  upstream_->HoldManifests();
  ASSERT_OK(Resolve("v1"));
  EXPECT_TRUE(Eventually([&] { return upstream_->waiting() == 1; }));
  EXPECT_TRUE(Recall("v1").has_value());
  upstream_->FailAll(absl::OkStatus());
  upstream_->ReleaseManifests();
  EXPECT_TRUE(Eventually([&] {
    const std::optional<RecalledTag> again = Recall("v1");
    return again.has_value() && again->stale_reason.empty();
  }));
}

TEST_F(UpstreamCacheTest, RecallsATagThatTheUpstreamHasDeleted) {
  WriteFile("    negative_ttl: 20s\n    stale_max: 2h\n");
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  upstream_->DeleteTag("team/app", "v1");
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(Resolve("v1"));
  ASSERT_TRUE(Recall("v1").has_value());
  EXPECT_EQ(Recall("v1")->digest, digest);
  EXPECT_THAT(Recall("v1")->stale_reason, HasSubstr("no such tag"));
  clock_.Advance(absl::Seconds(21));
  EXPECT_FALSE(Recall("v1").has_value());
  // Not beyond stale_max.
  clock_.Advance(absl::Hours(1));
  EXPECT_FALSE(Resolve("v1").ok());
  EXPECT_FALSE(Recall("v1").has_value());
}

TEST_F(UpstreamCacheTest, RecallsNoTagThatIsRefreshedMeanwhile) {
  WriteFile("    tag_ttl: 60s\n    stale_while_revalidate: 10m\n");
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  clock_.Advance(absl::Minutes(5));
  EXPECT_FALSE(Recall("v1").has_value());
  upstream_->HoldManifests();
  EXPECT_EQ(Resolve("v1")->valid_for, absl::ZeroDuration());
  upstream_->ReleaseManifests();
}

TEST_F(UpstreamCacheTest, RecallsNoPinnedTagAndNoneOfARemovedUpstream) {
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  ASSERT_TRUE(Recall("v1").has_value());
  WriteFile("    pins:\n      - repository: team/app\n        tag: v1\n        digest: " + digest.ToString() + "\n");
  EXPECT_FALSE(Recall("v1").has_value());
  ASSERT_OK(Resolve("v1"));
  EXPECT_FALSE(Recall("v1").has_value());
  WriteFileWithoutTheUpstream();
  EXPECT_FALSE(Recall("v1").has_value());
  EXPECT_EQ(Resolve("v1")->valid_for, absl::ZeroDuration());
  EXPECT_FALSE(Recall("v1").has_value());
}

TEST_F(UpstreamCacheTest, CountsRecalledTags) {
  cache_->CountRecalled(app_, {.fresh = 3, .stale = 2});
  EXPECT_EQ(Resolves("hit"), 3);
  EXPECT_EQ(Resolves("stale"), 2);
  EXPECT_EQ(cache_->Status().upstreams(0).hits(), 3u);
  EXPECT_EQ(cache_->Status().upstreams(0).stale(), 2u);
}

// Waiting
// --------------------------------------------------------------------------------------------------------------

TEST_F(UpstreamCacheTest, ServesWhileItRefreshes) {
  WriteFile("    tag_ttl: 60s\n    stale_while_revalidate: 10m\n");
  const Digest digest = AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  const Digest moved = AddManifest("{ }", "v1");
  clock_.Advance(absl::Minutes(5));
  upstream_->HoldManifests();
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND_ASSIGN(const ResolvedManifest manifest, Resolve("v1"));
    EXPECT_EQ(manifest.digest, digest);
    EXPECT_EQ(manifest.stale_reason, "");
    EXPECT_EQ(manifest.age, absl::Minutes(5));
  }
  upstream_->ReleaseManifests();
  EXPECT_TRUE(Eventually([&] { return Resolve("v1")->digest == moved; }));
  EXPECT_EQ(heads(), 1);
  // Later the upstream is asked first. The first call may join the refresh before, which is about to end.
  AddManifest("{}", "v1");
  clock_.Advance(absl::Minutes(12));
  const auto revalidated = Resolves("revalidated");
  EXPECT_TRUE(Eventually([&] { return Resolve("v1")->digest == digest; }));
  EXPECT_GT(Resolves("revalidated"), revalidated);
}

TEST_F(UpstreamCacheTest, RequestsForOneTagShareOneRequestToTheUpstream) {
  AddManifest("{}", "v1");
  for (const bool stored : {false, true}) {
    const int before = heads() + gets();
    upstream_->HoldManifests();
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) threads.emplace_back([&] { EXPECT_OK(Resolve("v1")); });
    EXPECT_TRUE(Eventually([&] { return upstream_->waiting() == 1; }));
    upstream_->ReleaseManifests();
    for (std::thread& thread : threads) thread.join();
    // A thread that came late found it here, or, if it looked just before the tag was recorded, asked once more.
    EXPECT_GE(heads() + gets(), before + 1) << stored;
    EXPECT_LE(heads() + gets(), before + 4) << stored;
    clock_.Advance(absl::Hours(1));
  }
  EXPECT_LE(store_.manifests_put(), 4);
}

class ImpatientCacheTest : public UpstreamCacheTest {
 protected:
  ImpatientCacheTest() { patience_ = absl::Milliseconds(1); }
};

TEST_F(ImpatientCacheTest, ServesAStaleTagIfTheUpstreamIsSlow) {
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  const Digest moved = AddManifest("{ }", "v1");
  clock_.Advance(absl::Hours(1));
  upstream_->HoldManifests();
  EXPECT_THAT(Resolve("v1")->stale_reason, HasSubstr("has not answered in time"));
  upstream_->ReleaseManifests();
  EXPECT_TRUE(Eventually([&] { return Resolve("v1")->digest == moved; }));
}

// The file
// -------------------------------------------------------------------------------------------------------------

TEST_F(UpstreamCacheTest, ServesWhatIsStoredOfARemovedUpstream) {
  const Digest digest = AddManifest("{}", "v1");
  AddManifest("{ }", "v2");
  ASSERT_OK(Resolve("v1"));
  const Digest blob = store_.AddBlob(app_, "bytes");
  WriteFileWithoutTheUpstream();
  EXPECT_EQ(Resolve("v1")->digest, digest);
  EXPECT_NE(Resolve("v1")->stale_reason, "");
  EXPECT_EQ(Resolve(digest.ToString())->stale_reason, "");
  EXPECT_THAT(Resolve("v2"), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_TRUE(cache_->FindBlob(app_, blob, "")->stored());
  EXPECT_THAT(cache_->FindBlob(app_, digest, ""), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(cache_->OpenBlob(app_, digest, ""), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(cache_->ListTags(app_, 10, "")->tags, ElementsAre("v1"));
  EXPECT_THAT(*cache_->ListReferrers(app_, digest), IsEmpty());
}

TEST_F(UpstreamCacheTest, RefusesARepositoryThatTheFileDoesNotAllow) {
  WriteFile("    repositories: [\"library/*\"]\n");
  AddManifest("{}", "v1");
  EXPECT_THAT(Resolve("v1"), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(cache_->ListTags(app_, 10, ""), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_EQ(heads() + gets() + upstream_->calls("ListTags"), 0);
}

// Blobs
// ----------------------------------------------------------------------------------------------------------------

TEST_F(UpstreamCacheTest, FindsABlobWithoutFetchingIt) {
  const Digest digest = upstream_->AddBlob("team/app", "bytes");
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::FindUpstreamBlobResponse found, cache_->FindBlob(app_, digest, ""));
    EXPECT_EQ(found.size_bytes(), 5u);
    EXPECT_EQ(found.stored(), i == 1);
    EXPECT_EQ(upstream_->calls("GetBlob"), 0);
    store_.AddBlob(app_, "bytes");
  }
  EXPECT_EQ(upstream_->calls("HeadBlob"), 1);
}

TEST_F(UpstreamCacheTest, RemembersForAShortTimeThatABlobIsMissing) {
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, "x");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(cache_->FindBlob(app_, digest, ""), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_EQ(upstream_->calls("HeadBlob"), 1);
}

TEST_F(UpstreamCacheTest, FetchesABlobWhoseSizeIsNotTold) {
  const Digest digest = upstream_->AddBlob("team/app", "bytes");
  upstream_->SetScript(digest, {.tells_size = false});
  EXPECT_EQ(cache_->FindBlob(app_, digest, "")->size_bytes(), 5u);
  EXPECT_EQ(upstream_->calls("GetBlob"), 1);
}

TEST_F(UpstreamCacheTest, OpensABlobFromTheStoreOrElseByAFetch) {
  const Digest digest = upstream_->AddBlob("team/app", "bytes");
  {
    ASSERT_OK_AND_ASSIGN(auto opened, cache_->OpenBlob(app_, digest, ""));
    auto& reader = std::get<std::unique_ptr<FetchReader>>(opened);
    EXPECT_TRUE(Eventually([&] { return reader->stored(); }));
    EXPECT_EQ(reader->size_bytes(), 5u);
  }
  ASSERT_OK_AND_ASSIGN(auto opened, cache_->OpenBlob(app_, digest, ""));
  EXPECT_EQ(std::get<StoredBlob>(opened).size_bytes, 5u);
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
  EXPECT_EQ(cache_->Status().upstreams(0).bytes_fetched(), 5u);
}

TEST_F(UpstreamCacheTest, ReportsErrorsOfTheStore) {
  AddManifest("{}", "v1");
  store_.FailAll(absl::UnavailableError("the store is down"));
  EXPECT_THAT(Resolve("v1"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(cache_->FindBlob(app_, ComputeDigest(DigestAlgorithm::kSha256, "x"), ""),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(heads() + gets() + upstream_->calls("HeadBlob"), 0);
}

// Lists
// ----------------------------------------------------------------------------------------------------------------

TEST_F(UpstreamCacheTest, ListsTheTagsOfTheUpstreamByPages) {
  WriteFile("    tag_ttl: 60s\n");
  for (const char* tag : {"c", "a", "b", "B", "not a tag"}) AddManifest("{}", tag);
  ASSERT_OK_AND_ASSIGN(const TagPage first, cache_->ListTags(app_, 3, ""));
  EXPECT_THAT(first.tags, ElementsAre("B", "a", "b"));
  EXPECT_TRUE(first.more);
  ASSERT_OK_AND_ASSIGN(const TagPage second, cache_->ListTags(app_, 3, "b"));
  EXPECT_THAT(second.tags, ElementsAre("c"));
  EXPECT_FALSE(second.more);
  EXPECT_EQ(upstream_->calls("ListTags"), 1);
  AddManifest("{}", "d");
  clock_.Advance(absl::Seconds(61));
  EXPECT_THAT(cache_->ListTags(app_, 10, "b")->tags, ElementsAre("c", "d"));
}

TEST_F(UpstreamCacheTest, ListsTheTagsThatAreHereIfTheUpstreamFails) {
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  AddManifest("{}", "v2");
  upstream_->FailAll(kDown);
  EXPECT_THAT(cache_->ListTags(app_, 10, "")->tags, ElementsAre("v1"));
  upstream_->FailAll(absl::OkStatus());
  EXPECT_THAT(cache_->ListTags(app_, 10, "")->tags, ElementsAre("v1", "v2"));
  // The list that it had before is better than what is here.
  clock_.Advance(absl::Hours(1));
  upstream_->FailAll(kDown);
  EXPECT_THAT(cache_->ListTags(app_, 10, "")->tags, ElementsAre("v1", "v2"));
  EXPECT_THAT(cache_->ListTags(*RepositoryName::Parse("up.example/team/none"), 10, ""),
              IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(UpstreamCacheTest, ListsReferrersAndRemembersThem) {
  WriteFile("    tag_ttl: 60s\n");
  const Digest subject = AddManifest("{}", "v1");
  EXPECT_THAT(*cache_->ListReferrers(app_, subject), IsEmpty());
  upstream_->SetReferrers(
      "team/app", subject,
      {{.digest = subject, .media_type = kType, .size_bytes = 2, .artifact_type = "sig", .annotations = {}}});
  EXPECT_THAT(*cache_->ListReferrers(app_, subject), IsEmpty());
  clock_.Advance(absl::Seconds(60));
  EXPECT_THAT(*cache_->ListReferrers(app_, subject), SizeIs(1));
  clock_.Advance(absl::Hours(1));
  upstream_->FailAll(kDown);
  EXPECT_EQ(cache_->ListReferrers(app_, subject)->front().artifact_type, "sig");
  EXPECT_THAT(*cache_->ListReferrers(app_, ComputeDigest(DigestAlgorithm::kSha256, "x")), IsEmpty());
}

TEST_F(UpstreamCacheTest, ReportsTheStateOfUpstreams) {
  upstream_->SetRateLimit({.limit = 100, .remaining = 76});
  AddManifest("{}", "v1");
  ASSERT_OK(Resolve("v1"));
  const v1::UpstreamList status = cache_->Status();
  ASSERT_EQ(status.upstreams_size(), 1);
  EXPECT_EQ(status.upstreams(0).name(), "up.example");
  EXPECT_EQ(status.upstreams(0).url(), "https://up.example");
  EXPECT_EQ(status.upstreams(0).requests(), 1u);
  EXPECT_EQ(status.upstreams(0).bytes_fetched(), 2u);
  EXPECT_EQ(status.upstreams(0).rate_limit_remaining(), 76);
  EXPECT_EQ(status.upstreams(0).rate_limit(), 100);
  EXPECT_EQ(status.upstreams(0).state(), "ok");
  EXPECT_EQ(status.upstreams(0).misses(), 1u);
  EXPECT_EQ(status.upstreams(0).hits(), 0u);
  upstream_->FailAll(kDown);
  ASSERT_OK(Resolve("v1"));
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(Resolve("v1"));
  EXPECT_EQ(cache_->Status().upstreams(0).hits(), 1u);
  EXPECT_EQ(cache_->Status().upstreams(0).stale(), 1u);
}

TEST_F(UpstreamCacheTest, StopEndsCalls) {
  AddManifest("{}", "v1");
  cache_->Stop();
  EXPECT_TRUE(upstream_->stopped());
  EXPECT_THAT(Resolve("v1"), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entrepot::upstream
