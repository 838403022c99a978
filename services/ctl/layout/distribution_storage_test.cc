#include "services/ctl/layout/distribution_storage.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/ctl/layout/layout_reader.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Digest DigestOf(absl::string_view content) { return ComputeDigest(DigestAlgorithm::kSha256, content); }

class DistributionStorageTest : public testing::Test {
 protected:
  std::string storage() const { return directory_.path() + "/docker/registry/v2"; }
  void Write(const std::string& path, absl::string_view content) {
    const std::filesystem::path full = storage() + "/" + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << content;
  }
  Digest AddManifest(const std::string& repository, absl::string_view content, const std::string& tag = "") {
    const Digest digest = DigestOf(content);
    Write(DistributionBlobPath(digest), content);
    Write(absl::StrCat("repositories/", repository, "/_manifests/revisions/sha256/", digest.hex(), "/link"),
          digest.ToString());
    if (!tag.empty()) SetTag(repository, tag, digest);
    return digest;
  }
  void SetTag(const std::string& repository, const std::string& tag, const Digest& digest) {
    Write(absl::StrCat("repositories/", repository, "/_manifests/tags/", tag, "/current/link"), digest.ToString());
  }

  kv::TemporaryDirectory directory_;
};

TEST_F(DistributionStorageTest, FindsTheImagesOfNestedRepositories) {
  const Digest app = AddManifest("team/app", "app", "v1");
  SetTag("team/app", "latest", app);
  const Digest signature = AddManifest("team/app", "signature");
  const Digest nested = AddManifest("team/app/base", "base", "v2");
  const DistributionImages images = ReadDistributionImages(storage());
  std::vector<std::string> found;
  for (const LayoutEntry& entry : images.entries) {
    found.push_back(absl::StrCat(entry.repository, ":", entry.tag, " ", entry.digest.ToString()));
  }
  EXPECT_THAT(
      found, ElementsAre(absl::StrCat("team/app:latest ", app.ToString()), absl::StrCat("team/app:v1 ", app.ToString()),
                         absl::StrCat("team/app: ", signature.ToString()),
                         absl::StrCat("team/app/base:v2 ", nested.ToString())));
  EXPECT_THAT(images.problems, ElementsAre());
}

TEST_F(DistributionStorageTest, ReportsTagsThatNameNothing) {
  AddManifest("app", "app", "good");
  SetTag("app", "deleted", DigestOf("deleted"));
  Write("repositories/app/_manifests/tags/empty/current/link", "");
  std::filesystem::create_directories(storage() + "/repositories/app/_manifests/tags/none");
  const DistributionImages images = ReadDistributionImages(storage());
  EXPECT_EQ(images.entries.size(), 1u);
  EXPECT_THAT(images.problems,
              ElementsAre(HasSubstr("app:deleted: the tag names the manifest sha256:"),
                          HasSubstr("app:empty: the tag names nothing"), HasSubstr("app:none: the tag names nothing")));
}

TEST_F(DistributionStorageTest, IsReadAsALayout) {
  const Digest app = AddManifest("app", "app", "v1");
  for (const std::string& path : {directory_.path(), storage()}) {
    ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(path));
    ASSERT_EQ(layout->entries().size(), 1u);
    ASSERT_OK_AND_ASSIGN(const std::string content, layout->ReadManifest(app));
    EXPECT_EQ(content, "app");
    EXPECT_THAT(layout->BlobSize(DigestOf("other")).status(), StatusIs(absl::StatusCode::kNotFound));
  }
  EXPECT_EQ(FindDistributionStorage(storage() + "/repositories"), std::nullopt);
}

}  // namespace
}  // namespace entrepot::ctl
