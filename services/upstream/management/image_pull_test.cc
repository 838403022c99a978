#include "services/upstream/management/image_pull.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/upstream/upstream_cache_test_fixture.h"

namespace entrepot::upstream {
namespace {

// Of a Status or StatusOr.
MATCHER_P2(FailsWith, code, message, "") {
  const absl::Status status = StatusOf(arg);
  return status.code() == code && testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

using ::testing::HasSubstr;

constexpr char kIndexType[] = "application/vnd.oci.image.index.v1+json";

class ImagePullTest : public UpstreamCacheTest {
 protected:
  // An image with a config and a layer of its own, and a layer that all have.
  Digest AddImage(const std::string& name, const std::string& tag = "v1") {
    const std::string manifest = absl::StrReplaceAll(
        R"({"config":{"digest":"$c","size":$d},"layers":[{"digest":"$l","size":999},{"digest":"$s"}]})",
        {{"$c", upstream_->AddBlob("team/app", "config " + name).ToString()},
         {"$d", absl::StrCat(std::string("config " + name).size())},
         {"$l", upstream_->AddBlob("team/app", "layer " + name).ToString()},
         {"$s", upstream_->AddBlob("team/app", "shared").ToString()}});
    return AddManifest(manifest, tag);
  }
  // With an image for linux/amd64 and one for linux/arm64.
  Digest AddIndex() {
    const std::string index = absl::StrReplaceAll(
        R"({"manifests":[{"digest":"$x","platform":{"os":"linux","architecture":"amd64"}},
                         {"digest":"$y","platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]})",
        {{"$x", AddImage("amd").ToString()}, {"$y", AddImage("arm").ToString()}});
    return upstream_->AddManifest("team/app", kIndexType, index, "multi");
  }

  absl::Status Pull(const std::string& reference, const std::vector<std::string>& platforms = {}) {
    ImageToPull image{.repository = app_, .reference = *ParseReference(reference), .platforms = {}};
    for (const std::string& platform : platforms) image.platforms.push_back(*ParsePlatform(platform));
    shown_.clear();
    return PullImage(image, cache_.get(), &store_, &stop_,
                     [this](const v1::ImagePull& pull) { shown_.push_back(pull); });
  }
  bool HasBlob(const std::string& content) {
    return store_.FindBlob(app_, ComputeDigest(DigestAlgorithm::kSha256, content)).ok();
  }

  StopSignal stop_;
  std::vector<v1::ImagePull> shown_;
};

TEST_F(ImagePullTest, FetchesAnImage) {
  const Digest digest = AddImage("one");
  store_.AddBlob(app_, "shared");
  ASSERT_OK(Pull("v1"));
  EXPECT_TRUE(HasBlob("config one"));
  EXPECT_TRUE(HasBlob("layer one"));
  EXPECT_OK(store_.FindManifest(app_, *ParseReference("v1"), true));
  const v1::ImagePull& end = shown_.back();
  EXPECT_EQ(end.digest(), digest.ToString());
  EXPECT_EQ(end.manifests(), 1u);
  EXPECT_EQ(end.blobs(), 3u);
  EXPECT_EQ(end.blobs_done(), 3u);
  EXPECT_EQ(end.blobs_here(), 1u);
  // The true sizes, not those of the manifest.
  EXPECT_EQ(end.bytes(), std::string("config onelayer oneshared").size());
  EXPECT_EQ(end.bytes_done(), end.bytes());
}

TEST_F(ImagePullTest, FetchesNothingTwice) {
  AddImage("one");
  ASSERT_OK(Pull("v1"));
  const int gets = upstream_->calls("GetBlob");
  ASSERT_OK(Pull("v1"));
  EXPECT_EQ(upstream_->calls("GetBlob"), gets);
  EXPECT_EQ(shown_.back().blobs_here(), 3u);
}

TEST_F(ImagePullTest, FetchesAllOfAnIndex) {
  AddIndex();
  ASSERT_OK(Pull("multi"));
  EXPECT_TRUE(HasBlob("layer amd"));
  EXPECT_TRUE(HasBlob("layer arm"));
  EXPECT_EQ(shown_.back().manifests(), 3u);
  EXPECT_EQ(shown_.back().blobs_done(), 5u);
}

TEST_F(ImagePullTest, FetchesOnlyThePlatforms) {
  AddIndex();
  ASSERT_OK(Pull("multi", {"linux/arm64"}));
  EXPECT_FALSE(HasBlob("layer amd"));
  EXPECT_TRUE(HasBlob("layer arm"));
  EXPECT_EQ(shown_.back().manifests(), 2u);
  EXPECT_THAT(Pull("multi", {"linux/arm64", "linux/s390x"}),
              FailsWith(absl::StatusCode::kNotFound,
                        AllOf(HasSubstr("no platform linux/s390x"), HasSubstr("linux/amd64, linux/arm64/v8"))));
}

TEST_F(ImagePullTest, ShowsTheBytesOfALargeBlob) {
  const std::string layer(std::size_t{5} << 20, 'x');
  const Digest digest = upstream_->AddBlob("team/app", layer);
  AddManifest(absl::StrCat(R"({"layers":[{"digest":")", digest.ToString(), R"(","size":)", layer.size(), "}]}"), "v1");
  ASSERT_OK(Pull("v1"));
  EXPECT_EQ(shown_.back().bytes_done(), layer.size());
  EXPECT_EQ(shown_.back().bytes(), layer.size());
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
}

TEST_F(ImagePullTest, FailsWithTheDigestThatIsMissing) {
  const Digest absent = ComputeDigest(DigestAlgorithm::kSha256, "absent");
  AddManifest(absl::StrCat(R"({"layers":[{"digest":")", absent.ToString(), R"("}]})"), "v1");
  EXPECT_THAT(Pull("v1"), FailsWith(absl::StatusCode::kNotFound, HasSubstr(absent.ToString())));
  EXPECT_THAT(Pull("v2"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ImagePullTest, DoesNotCallAStaleTagFetched) {
  AddImage("one");
  ASSERT_OK(Pull("v1"));
  clock_.Advance(absl::Hours(1));
  upstream_->FailAll(absl::UnavailableError("down"));
  EXPECT_THAT(Pull("v1"), FailsWith(absl::StatusCode::kUnavailable, HasSubstr("cannot confirm the tag")));
}

TEST_F(ImagePullTest, EndsIfItIsStopped) {
  const Digest layer = upstream_->AddBlob("team/app", "layer");
  AddManifest(absl::StrCat(R"({"layers":[{"digest":")", layer.ToString(), R"(","size":5}]})"), "v1");
  upstream_->HoldAt(layer, 0);
  std::thread stopper([&] {
    EXPECT_TRUE(Eventually([&] { return upstream_->Holds(layer); }));
    stop_.Stop();
  });
  EXPECT_THAT(Pull("v1"), StatusIs(absl::StatusCode::kCancelled));
  stopper.join();
}

}  // namespace
}  // namespace entrepot::upstream
