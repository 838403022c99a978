#include "services/upstream/client/manifest_media_type.h"

#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

constexpr absl::string_view kManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr absl::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr absl::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";

TEST(ManifestMediaTypeTest, IsThatOfTheField) {
  EXPECT_EQ(ManifestMediaType(kManifest, R"({"mediaType":"a/b"})"), kManifest);
  EXPECT_EQ(ManifestMediaType("application/vnd.oci.image.index.v1+json; charset=utf-8", "{}"), kOciIndex);
}

TEST(ManifestMediaTypeTest, IsThatOfTheContentIfTheFieldDoesNotTellIt) {
  for (const char* field :
       {"", "text/plain; charset=utf-8", "application/json", "APPLICATION/octet-stream", "nonsense"}) {
    EXPECT_EQ(ManifestMediaType(field), "") << field;
    EXPECT_EQ(ManifestMediaType(field, R"({"mediaType":"a/b"})"), "a/b") << field;
    EXPECT_EQ(ManifestMediaType(field, R"({"manifests":[]})"), kOciIndex) << field;
    EXPECT_EQ(ManifestMediaType(field, R"({"config":{},"layers":[]})"), kOciManifest) << field;
    EXPECT_EQ(ManifestMediaType(field, R"({"mediaType":"no type","manifests":[]})"), kOciIndex) << field;
    EXPECT_EQ(ManifestMediaType(field, "{}"), "") << field;
    EXPECT_EQ(ManifestMediaType(field, "<html>"), "") << field;
  }
}

TEST(ManifestMediaTypeTest, KnowsWebPages) {
  EXPECT_TRUE(IsWebPage("text/html"));
  EXPECT_TRUE(IsWebPage("Text/HTML ; charset=utf-8"));
  EXPECT_FALSE(IsWebPage("text/plain"));
  EXPECT_FALSE(IsWebPage(""));
}

}  // namespace
}  // namespace entrepot::upstream
