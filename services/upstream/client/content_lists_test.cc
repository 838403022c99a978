#include "services/upstream/client/content_lists.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const Digest kDigest = ComputeDigest(DigestAlgorithm::kSha256, "a");

TEST(TagListTest, HasTheTagsInTheirOrder) {
  EXPECT_THAT(ParseTagList(R"({"name":"a","tags":["v2","v1","latest"]})"),
              IsOkAndHolds(ElementsAre("v2", "v1", "latest")));
}

TEST(TagListTest, LeavesOutWhatIsNoTag) {
  EXPECT_THAT(ParseTagList(R"({"tags":["a","b/c","",5,null,"../d"]})"), IsOkAndHolds(ElementsAre("a")));
  EXPECT_THAT(ParseTagList(R"({"tags":null})"), IsOkAndHolds(IsEmpty()));
}

TEST(TagListTest, RefusesOtherDocuments) {
  for (const char* json : {"", "<html>", "[]", "{}", R"({"tags":{}})", R"({"tags":"a"})"}) {
    EXPECT_THAT(ParseTagList(json), StatusIs(absl::StatusCode::kInvalidArgument)) << json;
  }
}

TEST(ReferrersTest, HasTheDescriptors) {
  const auto referrers = ParseReferrers(
      absl::StrCat(R"({"manifests":[{"digest":")", kDigest.ToString(),
                   R"(","mediaType":"a/b","size":7,"artifactType":"c/d","annotations":{"k":"v","n":5}}]})"));
  ASSERT_THAT(referrers, IsOkAndHolds(SizeIs(1)));
  const Referrer& referrer = referrers->front();
  EXPECT_EQ(referrer.digest, kDigest);
  EXPECT_EQ(referrer.media_type, "a/b");
  EXPECT_EQ(referrer.size_bytes, 7u);
  EXPECT_EQ(referrer.artifact_type, "c/d");
  EXPECT_THAT(referrer.annotations, ElementsAre(Pair("k", "v")));
}

TEST(ReferrersTest, LeavesOutWhatIsNoDescriptor) {
  const std::string digest = absl::StrCat(R"("digest":")", kDigest.ToString(), R"(")");
  for (const std::string& entry : {std::string("5"), std::string("{}"), absl::StrCat("{", digest, "}"),
                                   absl::StrCat("{", digest, R"(,"mediaType":"a/b"})"),
                                   absl::StrCat("{", digest, R"(,"mediaType":"a/b","size":-1})"),
                                   absl::StrCat("{", digest, R"(,"mediaType":5,"size":1})"),
                                   std::string(R"({"digest":"sha256:short","mediaType":"a/b","size":1})")}) {
    EXPECT_THAT(ParseReferrers(absl::StrCat(R"({"manifests":[)", entry, "]}")), IsOkAndHolds(IsEmpty())) << entry;
  }
}

TEST(ReferrersTest, RefusesOtherDocuments) {
  for (const char* json : {"", "<html>", "[]", "{}", R"({"manifests":{}})"}) {
    EXPECT_THAT(ParseReferrers(json), StatusIs(absl::StatusCode::kInvalidArgument)) << json;
  }
}

TEST(ReferrersTest, NamesTheTagOfAManifest) {
  EXPECT_EQ(ReferrersTag(kDigest), absl::StrCat("sha256-", kDigest.hex()));
  const Digest longer = ComputeDigest(DigestAlgorithm::kSha512, "a");
  EXPECT_EQ(ReferrersTag(longer), absl::StrCat("sha512-", longer.hex().substr(0, 64)));
}

}  // namespace
}  // namespace entrepot::upstream
