#include "services/ctl/transfer/manifest_type.h"

#include "gtest/gtest.h"

namespace entrepot::ctl {
namespace {

TEST(ManifestTypeTest, TheContentsOwnTypeCounts) {
  EXPECT_EQ(MediaTypeOfManifest(R"({"mediaType": "a/b"})", "c/d"), "a/b");
  EXPECT_EQ(MediaTypeOfManifest(R"({"layers": []})", "c/d"), "c/d");
  EXPECT_EQ(MediaTypeOfManifest(R"({"layers": []})", ""), "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(MediaTypeOfManifest(R"({"manifests": []})", ""), "application/vnd.oci.image.index.v1+json");
}

TEST(ManifestTypeTest, FindsTheTypeOfAnArtifact) {
  EXPECT_EQ(ArtifactTypeOfManifest(R"({"artifactType": "x/y"})"), "x/y");
  EXPECT_EQ(ArtifactTypeOfManifest(R"({"artifactType": 1})"), "");
  EXPECT_EQ(ArtifactTypeOfManifest("no"), "");
}

}  // namespace
}  // namespace entrepot::ctl
