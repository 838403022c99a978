#include "gateway/backends/grpc/remembered_tags.h"

#include <string>

#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"

namespace entrepot::gateway {
namespace {

RepositoryName Repo(absl::string_view name) { return RepositoryName::Parse(name).value(); }
Tag TagNamed(absl::string_view name) { return Tag::Parse(name).value(); }
Digest DigestOf(absl::string_view text) { return ComputeDigest(DigestAlgorithm::kSha256, text); }

ResolvedManifest Answer(absl::string_view text, absl::Duration valid_for) {
  return {.digest = DigestOf(text),
          .media_type = "application/x",
          .size_bytes = 1,
          .stored = true,
          .stale_reason = "docker.io: time-out",
          .age = absl::Seconds(90),
          .valid_for = valid_for};
}

class RememberedTagsTest : public testing::Test {
 protected:
  const RepositoryName nginx_ = Repo("docker.io/library/nginx");
  const Tag latest_ = TagNamed("latest");
};

TEST_F(RememberedTagsTest, ReturnsAnAnswerWhileItIsValid) {
  RememberedTags tags;
  EXPECT_FALSE(tags.Find(nginx_, latest_).has_value());
  tags.Remember(nginx_, latest_, Answer("one", absl::Hours(1)));
  const std::optional<RecalledTag> found = tags.Find(nginx_, latest_);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->digest, DigestOf("one"));
  EXPECT_EQ(found->stale_reason, "docker.io: time-out");
  EXPECT_GE(found->age, absl::Seconds(90));
  EXPECT_LT(found->age, absl::Seconds(90) + absl::Minutes(10));
  EXPECT_FALSE(tags.Find(nginx_, TagNamed("1.27")).has_value());
  EXPECT_FALSE(tags.Find(Repo("docker.io/library/redis"), latest_).has_value());
}

TEST_F(RememberedTagsTest, AnAnswerEnds) {
  RememberedTags tags;
  tags.Remember(nginx_, latest_, Answer("one", absl::Microseconds(1)));
  EXPECT_TRUE(Eventually([&] { return !tags.Find(nginx_, latest_).has_value(); }));
}

TEST_F(RememberedTagsTest, ANewerAnswerReplacesTheEarlierOne) {
  RememberedTags tags;
  tags.Remember(nginx_, latest_, Answer("one", absl::Hours(1)));
  tags.Remember(nginx_, latest_, Answer("two", absl::Hours(1)));
  EXPECT_EQ(tags.Find(nginx_, latest_)->digest, DigestOf("two"));
  tags.Remember(nginx_, latest_, Answer("three", absl::ZeroDuration()));
  EXPECT_FALSE(tags.Find(nginx_, latest_).has_value());
}

TEST_F(RememberedTagsTest, TheAgeGrows) {
  RememberedTags tags;
  tags.Remember(nginx_, latest_, Answer("one", absl::Hours(1)));
  EXPECT_TRUE(Eventually([&] { return tags.Find(nginx_, latest_)->age > absl::Seconds(90); }));
}

TEST_F(RememberedTagsTest, ForgetsTheLeastRecentlyUsedTag) {
  RememberedTags tags(/*tags_max=*/2);
  tags.Remember(nginx_, TagNamed("a"), Answer("a", absl::Hours(1)));
  tags.Remember(nginx_, TagNamed("b"), Answer("b", absl::Hours(1)));
  EXPECT_TRUE(tags.Find(nginx_, TagNamed("a")).has_value());
  tags.Remember(nginx_, TagNamed("c"), Answer("c", absl::Hours(1)));
  EXPECT_FALSE(tags.Find(nginx_, TagNamed("b")).has_value());
  EXPECT_TRUE(tags.Find(nginx_, TagNamed("a")).has_value());
  EXPECT_TRUE(tags.Find(nginx_, TagNamed("c")).has_value());
}

TEST_F(RememberedTagsTest, CountsByUpstream) {
  RememberedTags tags;
  tags.Count(nginx_, {.fresh = 2, .stale = 1});
  tags.Count(Repo("docker.io/library/redis"), {.fresh = 1});
  EXPECT_EQ(tags.TakeCount(Repo("quay.io/team/tool")).fresh, 0u);
  const RecalledCount taken = tags.TakeCount(nginx_);
  EXPECT_EQ(taken.fresh, 3u);
  EXPECT_EQ(taken.stale, 1u);
  EXPECT_EQ(tags.TakeCount(nginx_).fresh, 0u);
}

}  // namespace
}  // namespace entrepot::gateway
