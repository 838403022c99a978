#include "services/ctl/layout/layout_index.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

Digest DigestOf(absl::string_view content) { return ComputeDigest(DigestAlgorithm::kSha256, content); }

LayoutEntry Entry(absl::string_view content, const std::string& tag) {
  return {.media_type = "application/vnd.oci.image.manifest.v1+json",
          .digest = DigestOf(content),
          .size_bytes = content.size(),
          .tag = tag,
          .repository = "team/app"};
}

TEST(LayoutIndexTest, ReadsWhatIsWritten) {
  LayoutEntry referrer = Entry("signature", "");
  referrer.artifact_type = "application/vnd.example.signature";
  ASSERT_OK_AND_ASSIGN(const std::string text, WithLayoutEntries("", {Entry("a", "v1"), referrer}));
  ASSERT_OK_AND_ASSIGN(const auto entries, ParseLayoutIndex(text));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].tag, "v1");
  EXPECT_EQ(entries[0].repository, "team/app");
  EXPECT_EQ(entries[0].digest, DigestOf("a"));
  EXPECT_EQ(entries[0].size_bytes, 1u);
  EXPECT_EQ(entries[0].media_type, "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(entries[1].tag, "");
  EXPECT_EQ(entries[1].artifact_type, "application/vnd.example.signature");
}

TEST(LayoutIndexTest, ReplacesATagAndKeepsWhatOthersHaveWritten) {
  ASSERT_OK_AND_ASSIGN(const std::string before,
                       WithLayoutEntries(R"({"schemaVersion": 2, "annotations": {"a": "b"}, "manifests": [
      {"digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "size": 1, "urls": ["u"]}]})",
                                         {Entry("a", "v1"), Entry("b", "v2"), Entry("c", "")}));
  ASSERT_OK_AND_ASSIGN(const std::string text, WithLayoutEntries(before, {Entry("d", "v1"), Entry("c", "")}));
  EXPECT_THAT(text, HasSubstr(R"("urls":["u"])"));
  EXPECT_THAT(text, HasSubstr(R"("annotations":{"a":"b"})"));
  ASSERT_OK_AND_ASSIGN(const auto entries, ParseLayoutIndex(text));
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[1].digest, DigestOf("d"));
  EXPECT_EQ(entries[2].digest, DigestOf("b"));
  EXPECT_EQ(entries[3].digest, DigestOf("c"));
}

TEST(LayoutIndexTest, RefusesOtherTexts) {
  for (const char* text : {"", "[]", "{}", R"({"manifests": 1})", R"({"manifests": [{"digest": "sha256:../../x"}]})"}) {
    EXPECT_THAT(ParseLayoutIndex(text).status(), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

TEST(LayoutIndexTest, BlobsHaveTheirPathsByAlgorithm) {
  EXPECT_EQ(LayoutBlobPath(DigestOf("")),
            "blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace entrepot::ctl
