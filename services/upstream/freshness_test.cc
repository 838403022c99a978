#include "services/upstream/freshness.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void Put(kv::KvEngine& kv, const std::string& key, const std::string& value) {
  ASSERT_OK(kv.Transact({{.key = key}}, [&](kv::KvTransaction& transaction) {
    transaction.Put(key, value);
    return absl::OkStatus();
  }));
}

class FreshnessTest : public testing::Test {
 protected:
  static Digest MakeDigest(char of) { return Digest::FromBytes(DigestAlgorithm::kSha256, std::string(32, of)); }
  void Open(size_t tags_in_memory_max = 2) {
    freshness_ = *Freshness::Open(&kv_, /*shared=*/false, tags_in_memory_max);
  }

  const RepositoryName app_ = *RepositoryName::Parse("up.example/team/app");
  const RepositoryName web_ = *RepositoryName::Parse("up.example/team/web");
  const Tag v1_ = *Tag::Parse("v1");
  const Tag v2_ = *Tag::Parse("v2");
  const Tag v3_ = *Tag::Parse("v3");
  const absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  kv::MemoryKvEngine kv_;
  std::unique_ptr<Freshness> freshness_;
};

TEST_F(FreshnessTest, FindsInMemoryOnlyWhatIsThere) {
  Open(/*tags_in_memory_max=*/1);
  EXPECT_FALSE(freshness_->FindInMemory(app_, v1_).has_value());
  freshness_->Set(app_, v1_, {.digest = MakeDigest('a'), .confirmed_at = now_});
  ASSERT_TRUE(freshness_->FindInMemory(app_, v1_).has_value());
  EXPECT_EQ(freshness_->FindInMemory(app_, v1_)->confirmed_at, now_);
  freshness_->Set(app_, v2_, {.digest = MakeDigest('b'), .confirmed_at = now_});
  EXPECT_FALSE(freshness_->FindInMemory(app_, v1_).has_value());
  EXPECT_TRUE(freshness_->Find(app_, v1_).has_value());
  EXPECT_TRUE(freshness_->FindInMemory(app_, v1_).has_value());
}

TEST_F(FreshnessTest, RemembersBeyondTheMemoryAndTheProcess) {
  Open();
  EXPECT_FALSE(freshness_->Find(app_, v1_).has_value());
  for (const Tag& tag : {v1_, v2_, v3_}) {
    freshness_->Set(app_, tag, {.digest = MakeDigest('a'), .confirmed_at = now_, .stale_reason = "gone"});
  }
  for (int i = 0; i < 2; ++i) {
    for (const Tag& tag : {v1_, v2_, v3_}) {
      const std::optional<CachedTag> known = freshness_->Find(app_, tag);
      ASSERT_TRUE(known.has_value());
      EXPECT_EQ(known->digest, MakeDigest('a'));
      EXPECT_EQ(known->confirmed_at, now_);
      EXPECT_EQ(known->stale_reason, "gone");
    }
    EXPECT_FALSE(freshness_->Find(web_, v1_).has_value());
    Open();
  }
}

TEST_F(FreshnessTest, KeepsWhatAHeadReturnedInMemoryOnly) {
  Open();
  freshness_->Set(app_, v1_, {.digest = MakeDigest('a'), .confirmed_at = now_, .media_type = "x/y", .size_bytes = 7});
  EXPECT_EQ(freshness_->Find(app_, v1_)->media_type, "x/y");
  EXPECT_EQ(freshness_->Find(app_, v1_)->size_bytes, 7u);
  Open();
  EXPECT_EQ(freshness_->Find(app_, v1_)->media_type, "");
}

TEST_F(FreshnessTest, ReturnsTheTagsThatAwaitAManifestOnce) {
  Open(16);
  for (const Tag& tag : {v1_, v2_, v3_}) {
    freshness_->Set(app_, tag, {.digest = MakeDigest('a'), .confirmed_at = now_});
    freshness_->AwaitManifest(app_, tag, MakeDigest('a'));
    freshness_->AwaitManifest(app_, tag, MakeDigest('a'));
  }
  // It names another manifest since.
  freshness_->Set(app_, v2_, {.digest = MakeDigest('b'), .confirmed_at = now_});
  EXPECT_THAT(freshness_->TakeTagsOf(web_, MakeDigest('a')), IsEmpty());
  EXPECT_THAT(freshness_->TakeTagsOf(app_, MakeDigest('b')), IsEmpty());
  EXPECT_THAT(freshness_->TakeTagsOf(app_, MakeDigest('a')), ElementsAre(v1_, v3_));
  EXPECT_THAT(freshness_->TakeTagsOf(app_, MakeDigest('a')), IsEmpty());
}

TEST_F(FreshnessTest, ADamagedRecordCountsAsNone) {
  Open();
  const std::string key = std::string("c/up.example/team/app") + '\0' + "v1";
  for (const std::string& value : {std::string("\xff\xff"), std::string("\x0a\x03xyz")}) {
    Put(kv_, key, value);
    EXPECT_FALSE(freshness_->Find(app_, v1_).has_value());
  }
  freshness_->Set(app_, v1_, {.digest = MakeDigest('a'), .confirmed_at = now_});
  Open();
  EXPECT_TRUE(freshness_->Find(app_, v1_).has_value());
}

TEST_F(FreshnessTest, RefusesAnotherFormatAndRecordsWithoutOne) {
  {
    kv::MemoryKvEngine kv;
    Put(kv, "f/upstream", "\x08\x02");
    const absl::Status status = Freshness::Open(&kv).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(status.message()), HasSubstr("format 2"));
  }
  {
    kv::MemoryKvEngine kv;
    Put(kv, "c/x", "");
    EXPECT_THAT(Freshness::Open(&kv).status(), StatusIs(absl::StatusCode::kFailedPrecondition));
  }
}

TEST_F(FreshnessTest, NamesTheServiceTheSameAfterARestart) {
  // Records of an earlier version have no name.
  Put(kv_, "f/upstream", "\x08\x01");
  Open();
  const std::string name = freshness_->service_id();
  EXPECT_EQ(name.size(), 16u);
  Open();
  EXPECT_EQ(freshness_->service_id(), name);
  kv::MemoryKvEngine other;
  EXPECT_NE((*Freshness::Open(&other))->service_id(), name);
}

TEST_F(FreshnessTest, ProcessesThatShareTheRecordsHaveDifferentNames) {
  const auto first = *Freshness::Open(&kv_, /*shared=*/true);
  const auto second = *Freshness::Open(&kv_, /*shared=*/true);
  EXPECT_NE(first->service_id(), second->service_id());
}

TEST_F(FreshnessTest, TrustsTagsForDifferentTimes) {
  const absl::Duration ttl = absl::Minutes(10);
  absl::Duration shortest = absl::InfiniteDuration();
  absl::Duration longest;
  for (int i = 0; i < 200; ++i) {
    const CachedTag known{.digest = MakeDigest('a'), .confirmed_at = now_ + absl::Seconds(i)};
    const absl::Duration trusted = TrustedFor(ttl, app_, v1_, known);
    EXPECT_EQ(TrustedFor(ttl, app_, v1_, known), trusted);
    shortest = std::min(shortest, trusted);
    longest = std::max(longest, trusted);
  }
  EXPECT_GE(shortest, absl::Minutes(9));
  EXPECT_LT(shortest, absl::Minutes(9.5));
  EXPECT_GT(longest, absl::Minutes(10.5));
  EXPECT_LE(longest, absl::Minutes(11));
  EXPECT_EQ(TrustedFor(absl::ZeroDuration(), app_, v1_, {.digest = MakeDigest('a'), .confirmed_at = now_}),
            absl::ZeroDuration());
}

}  // namespace
}  // namespace entrepot::upstream
