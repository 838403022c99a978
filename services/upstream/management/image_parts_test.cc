#include "services/upstream/management/image_parts.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string DigestOf(absl::string_view content) { return ComputeDigest(DigestAlgorithm::kSha256, content).ToString(); }

TEST(ImagePartsTest, FindsTheBlobsOfAnImage) {
  const std::string manifest = absl::StrReplaceAll(
      R"({"config":{"digest":"$a","size":2},"layers":[{"digest":"$b","size":3},{"digest":"$b","size":3},
          {"digest":"$c","mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
          {"digest":"$d","mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar"},
          {"digest":"md5:1","size":1}, 7, {"digest":"$e","size":-1}]})",
      {{"$a", DigestOf("a")},
       {"$b", DigestOf("b")},
       {"$c", DigestOf("c")},
       {"$d", DigestOf("d")},
       {"$e", DigestOf("e")}});
  ASSERT_OK_AND_ASSIGN(const ImageParts parts, ParseImageParts(manifest));
  EXPECT_THAT(parts.children, IsEmpty());
  ASSERT_THAT(parts.blobs, SizeIs(3));
  EXPECT_EQ(parts.blobs[0].digest.ToString(), DigestOf("a"));
  EXPECT_EQ(parts.blobs[0].size_bytes, 2u);
  EXPECT_EQ(parts.blobs[1].digest.ToString(), DigestOf("b"));
  EXPECT_EQ(parts.blobs[2].digest.ToString(), DigestOf("e"));
  EXPECT_EQ(parts.blobs[2].size_bytes, 0u);
}

TEST(ImagePartsTest, FindsTheChildrenOfAnIndex) {
  const std::string index = absl::StrReplaceAll(
      R"({"manifests":[{"digest":"$a","platform":{"os":"linux","architecture":"arm","variant":"v7"}},{"digest":"$b"}]})",
      {{"$a", DigestOf("a")}, {"$b", DigestOf("b")}});
  ASSERT_OK_AND_ASSIGN(const ImageParts parts, ParseImageParts(index));
  ASSERT_THAT(parts.children, SizeIs(2));
  EXPECT_EQ(parts.children[0].digest.ToString(), DigestOf("a"));
  EXPECT_EQ(parts.children[0].platform.ToString(), "linux/arm/v7");
  EXPECT_EQ(parts.children[1].platform.os, "");
  EXPECT_THAT(parts.blobs, IsEmpty());
}

TEST(ImagePartsTest, FindsNothingInOddManifests) {
  for (const char* const manifest : {"{}", R"({"manifests":{},"layers":null,"config":"x"})"}) {
    ASSERT_OK_AND_ASSIGN(const ImageParts parts, ParseImageParts(manifest));
    EXPECT_THAT(parts.children, IsEmpty());
    EXPECT_THAT(parts.blobs, IsEmpty());
  }
  EXPECT_FALSE(ParseImageParts("[]").ok());
  EXPECT_FALSE(ParseImageParts("no").ok());
}

TEST(ImagePartsTest, ChildrenAreWantedByTheirPlatform) {
  const std::string index = absl::StrReplaceAll(
      R"({"manifests":[{"digest":"$a","platform":{"os":"linux","architecture":"arm64"}},
          {"digest":"$b","platform":{"os":"linux","architecture":"amd64"}}, {"digest":"$c"}]})",
      {{"$a", DigestOf("a")}, {"$b", DigestOf("b")}, {"$c", DigestOf("c")}});
  ASSERT_OK_AND_ASSIGN(const ImageParts parts, ParseImageParts(index));
  ASSERT_OK_AND_ASSIGN(const auto all, WantedChildren(parts, {}, true));
  EXPECT_THAT(all, SizeIs(3));
  const Platform amd64{"linux", "amd64", ""};
  const Platform s390x{"linux", "s390x", ""};
  ASSERT_OK_AND_ASSIGN(const auto some, WantedChildren(parts, {amd64}, true));
  ASSERT_THAT(some, SizeIs(2));
  EXPECT_EQ(some[0].ToString(), DigestOf("b"));
  EXPECT_EQ(some[1].ToString(), DigestOf("c"));
  EXPECT_THAT(WantedChildren(parts, {amd64, s390x}, true).status(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(WantedChildren(parts, {amd64, s390x}, false).status());
}

}  // namespace
}  // namespace entrepot::upstream
