#include "services/ctl/layout/layout_reader.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/ctl/layout/layout_writer.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

Digest DigestOf(absl::string_view content) { return ComputeDigest(DigestAlgorithm::kSha256, content); }

class LayoutReaderTest : public testing::Test {
 protected:
  std::string PathOf(const std::string& name) const { return absl::StrCat(directory_.path(), "/", name); }
  // A layout with the manifest "content" in the directory "x".
  void WriteLayout() {
    ASSERT_OK_AND_ASSIGN(const auto layout, OpenDirectoryLayout(PathOf("x")));
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("content"), "content"));
    EXPECT_OK(layout->Finish({{.media_type = "m", .digest = DigestOf("content"), .size_bytes = 7, .tag = "v1"}}));
  }
  void Shell(const std::string& command) {
    ASSERT_EQ(std::system(absl::StrCat("cd ", directory_.path(), " && ", command).c_str()), 0) << command;
  }
  // The error of a path that is not a layout.
  std::string ErrorOf(const std::string& name) {
    const absl::Status status = OpenLayout(PathOf(name)).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    return std::string(status.message());
  }

  kv::TemporaryDirectory directory_;
};

TEST_F(LayoutReaderTest, ReadsADirectoryThatTarHasPacked) {
  WriteLayout();
  Shell("tar -C x -cf x.tar .");
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(PathOf("x.tar")));
  EXPECT_EQ(layout->entries().at(0).tag, "v1");
  ASSERT_OK_AND_ASSIGN(const std::string part, layout->ReadBlob(DigestOf("content"), 3, 100));
  EXPECT_EQ(part, "tent");
  EXPECT_THAT(layout->BlobSize(DigestOf("other")).status(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LayoutReaderTest, FindsADamagedManifest) {
  WriteLayout();
  std::ofstream(PathOf("x/" + LayoutBlobPath(DigestOf("content")))) << "CONTENT";
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(PathOf("x")));
  const absl::Status status = layout->ReadManifest(DigestOf("content")).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the layout is damaged"));
}

TEST_F(LayoutReaderTest, RefusesWhatIsNoLayout) {
  EXPECT_THAT(ErrorOf("missing"), HasSubstr("No such file"));
  Shell(
      "mkdir empty && mkdir docker && echo '[]' > docker/manifest.json && tar -C docker -cf docker.tar . "
      "&& gzip -k docker.tar && echo letter > letter");
  EXPECT_THAT(ErrorOf("empty"), HasSubstr("has no index.json"));
  EXPECT_THAT(ErrorOf("docker.tar"), HasSubstr("archive of docker save"));
  EXPECT_THAT(ErrorOf("docker.tar.gz"), HasSubstr("gunzip"));
  EXPECT_THAT(ErrorOf("letter"), HasSubstr("no index.json"));
}

// Without O_NONBLOCK the test hangs.
TEST_F(LayoutReaderTest, DoesNotWaitForAFifo) {
  WriteLayout();
  const std::string blob = LayoutBlobPath(DigestOf("content"));
  Shell(absl::StrCat("mkfifo fifo && rm x/", blob, " && mkfifo x/", blob));
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(PathOf("x")));
  const absl::Status status = layout->ReadManifest(DigestOf("content")).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not a regular file"));
  EXPECT_THAT(ErrorOf("fifo"), HasSubstr("is not a regular file"));
}

TEST_F(LayoutReaderTest, RefusesATarFileThatWasCutOff) {
  WriteLayout();
  Shell("tar -C x -cf x.tar index.json oci-layout blobs");
  ASSERT_EQ(truncate(PathOf("x.tar").c_str(), 512), 0);
  EXPECT_THAT(ErrorOf("x.tar"), HasSubstr("cut off in index.json"));
}

}  // namespace
}  // namespace entrepot::ctl
