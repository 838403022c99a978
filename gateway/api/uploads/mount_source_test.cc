#include "gateway/api/uploads/mount_source.h"

#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

TEST(MountSourceTest, IsTheRepositoryToMountFrom) {
  EXPECT_EQ(MountSource("mount=sha256:abc&from=driftwood/web"), "driftwood/web");
  EXPECT_EQ(MountSource("from=driftwood%2Fweb&mount=sha256:abc"), "driftwood/web");
}

TEST(MountSourceTest, IsNothingWhereNoneIsNamedOrCanBe) {
  EXPECT_EQ(MountSource(""), "");
  EXPECT_EQ(MountSource("mount=sha256:abc"), "");
  EXPECT_EQ(MountSource("from=driftwood/web"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from="), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=Not/A/Name"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=a&from=b"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=a%"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=a\" x"), "");
}

}  // namespace
}  // namespace entrepot::gateway::api
