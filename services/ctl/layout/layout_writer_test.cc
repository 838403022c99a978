#include "services/ctl/layout/layout_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/ctl/layout/layout_reader.h"
#include "services/ctl/layout/tar_format.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

Digest DigestOf(absl::string_view content) { return ComputeDigest(DigestAlgorithm::kSha256, content); }

LayoutEntry EntryOf(absl::string_view content, const std::string& tag) {
  return {.media_type = "m", .digest = DigestOf(content), .size_bytes = content.size(), .tag = tag};
}

uint64_t FileBytes(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

// Both forms must behave alike.
class LayoutWriterTest : public testing::TestWithParam<bool> {
 protected:
  bool is_tar() const { return GetParam(); }
  std::string path() const { return absl::StrCat(directory_.path(), is_tar() ? "/x.tar" : "/x"); }
  std::unique_ptr<LayoutWriter> Open() {
    auto layout = is_tar() ? OpenTarLayout(path()) : OpenDirectoryLayout(path());
    EXPECT_OK(layout.status());
    return layout.ok() ? *std::move(layout) : nullptr;
  }
  // The file that has the bytes of a blob that is written.
  std::string PartialFileOf(const Digest& digest) const {
    return absl::StrCat(path(), is_tar() ? "" : absl::StrCat("/", LayoutBlobPath(digest)), ".partial");
  }
  std::string ReadBlob(const Digest& digest) {
    auto layout = OpenLayout(path());
    EXPECT_OK(layout.status());
    return layout.ok() ? (*layout)->ReadBlob(digest, 0, 1 << 20).value_or("?") : "?";
  }

  kv::TemporaryDirectory directory_;
};

TEST_P(LayoutWriterTest, WritesALayoutThatCanBeRead) {
  const std::string large(100'000, 'x');
  {
    const auto layout = Open();
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("manifest"), "manifest"));
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf(large), large));
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf(""), ""));
    ASSERT_OK_AND_ASSIGN(const bool has, layout->Has(DigestOf(large)));
    EXPECT_TRUE(has);
    EXPECT_OK(layout->Finish({EntryOf("manifest", "v1")}));
  }
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(path()));
  ASSERT_EQ(layout->entries().size(), 1u);
  EXPECT_EQ(layout->entries()[0].tag, "v1");
  ASSERT_OK_AND_ASSIGN(const std::string manifest, layout->ReadManifest(DigestOf("manifest")));
  EXPECT_EQ(manifest, "manifest");
  EXPECT_EQ(ReadBlob(DigestOf(large)), large);
  EXPECT_EQ(ReadBlob(DigestOf("")), "");
  if (is_tar()) {
    EXPECT_EQ(std::system(absl::StrCat("tar -tf ", path(), " | grep -q '^index.json$'").c_str()), 0);
  }
}

TEST_P(LayoutWriterTest, ContinuesWhatAnInterruptedRunHasWritten) {
  const std::string content(10'000, 'x');
  {
    const auto layout = Open();
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("first"), "first"));
    ASSERT_OK_AND_ASSIGN(const uint64_t none, layout->BeginBlob(DigestOf(content), content.size()));
    EXPECT_EQ(none, 0u);
    EXPECT_OK(layout->Append(content.substr(0, 7'000)));
  }
  const auto layout = Open();
  ASSERT_OK_AND_ASSIGN(const bool has, layout->Has(DigestOf("first")));
  EXPECT_TRUE(has);
  ASSERT_OK_AND_ASSIGN(const bool has_part, layout->Has(DigestOf(content)));
  EXPECT_FALSE(has_part);
  ASSERT_OK_AND_ASSIGN(const uint64_t written, layout->BeginBlob(DigestOf(content), content.size()));
  EXPECT_EQ(written, 7'000u);
  EXPECT_OK(layout->Append(content.substr(written)));
  EXPECT_OK(layout->EndBlob());
  EXPECT_OK(layout->Finish({EntryOf("first", "v1")}));
  EXPECT_EQ(ReadBlob(DigestOf(content)), content);
  EXPECT_EQ(ReadBlob(DigestOf("first")), "first");
}

TEST_P(LayoutWriterTest, AnotherBlobReplacesTheOneThatWasInterrupted) {
  {
    const auto layout = Open();
    EXPECT_OK(layout->BeginBlob(DigestOf("interrupted"), 11).status());
    EXPECT_OK(layout->Append("inter"));
  }
  const auto layout = Open();
  EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("other"), "other"));
  EXPECT_OK(layout->Finish({EntryOf("other", "v1")}));
  EXPECT_EQ(ReadBlob(DigestOf("other")), "other");
}

TEST_P(LayoutWriterTest, DropsABlobOfAnotherDigest) {
  const auto layout = Open();
  EXPECT_OK(layout->BeginBlob(DigestOf("right"), 5).status());
  EXPECT_OK(layout->Append("wrong"));
  EXPECT_THAT(layout->EndBlob(), StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_OK_AND_ASSIGN(const uint64_t written, layout->BeginBlob(DigestOf("right"), 5));
  EXPECT_EQ(written, 0u);
  EXPECT_OK(layout->Append("right"));
  EXPECT_OK(layout->EndBlob());
  EXPECT_OK(layout->Finish({EntryOf("right", "v1")}));
  EXPECT_EQ(ReadBlob(DigestOf("right")), "right");
}

TEST_P(LayoutWriterTest, DoesNotUseDamagedBytesOfAnEarlierRun) {
  {
    const auto layout = Open();
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("content"), "content"));
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("later"), "later"));
  }
  const std::string file =
      is_tar() ? path() + ".partial" : absl::StrCat(path(), "/", LayoutBlobPath(DigestOf("content")));
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  std::string bytes = text.str();
  bytes.replace(bytes.find("content"), 7, "CONTENT");
  std::ofstream(file) << bytes;
  const auto layout = Open();
  ASSERT_OK_AND_ASSIGN(const bool has, layout->Has(DigestOf("content")));
  EXPECT_FALSE(has);
  EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("content"), "content"));
  EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("later"), "later"));
  EXPECT_OK(layout->Finish({EntryOf("content", "v1")}));
  EXPECT_EQ(ReadBlob(DigestOf("content")), "content");
  EXPECT_EQ(ReadBlob(DigestOf("later")), "later");
}

TEST_P(LayoutWriterTest, RecoversFromACutAtAnyByte) {
  const std::string content(700, 'x');
  {
    const auto layout = Open();
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("first"), "first"));
    EXPECT_OK(layout->BeginBlob(DigestOf(content), content.size()).status());
    EXPECT_OK(layout->Append(content));
  }
  const uint64_t length = FileBytes(PartialFileOf(DigestOf(content)));
  ASSERT_GT(length, 0u);
  for (uint64_t cut = length; cut > 0; cut -= std::min<uint64_t>(cut, 37)) {
    ASSERT_EQ(truncate(PartialFileOf(DigestOf(content)).c_str(), static_cast<off_t>(cut)), 0);
    const auto layout = Open();
    ASSERT_NE(layout, nullptr);
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("first"), "first"));
    ASSERT_OK_AND_ASSIGN(const uint64_t written, layout->BeginBlob(DigestOf(content), content.size()));
    EXPECT_OK(layout->Append(content.substr(written)));
  }
  const auto layout = Open();
  EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf(content), content));
  EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("first"), "first"));
  EXPECT_OK(layout->Finish({EntryOf("first", "v1")}));
  EXPECT_EQ(ReadBlob(DigestOf(content)), content);
}

TEST_P(LayoutWriterTest, DoesNotWriteThroughALink) {
  const std::string other = directory_.path() + "/other";
  std::ofstream(other) << "precious";
  const std::string partial = PartialFileOf(DigestOf("x"));
  std::filesystem::create_directories(std::filesystem::path(partial).parent_path());
  std::filesystem::create_symlink(other, partial);
  auto layout = is_tar() ? OpenTarLayout(path()) : OpenDirectoryLayout(path());
  const absl::Status status = layout.ok() ? WriteWholeBlob(layout->get(), DigestOf("x"), "x") : layout.status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(FileBytes(other), 8u);
}

INSTANTIATE_TEST_SUITE_P(Forms, LayoutWriterTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Tar" : "Directory"; });

TEST(DirectoryLayoutTest, ImagesAreAddedToALayout) {
  const kv::TemporaryDirectory directory;
  for (const char* tag : {"v1", "v2"}) {
    ASSERT_OK_AND_ASSIGN(const auto layout, OpenDirectoryLayout(directory.path()));
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf(tag), tag));
    EXPECT_OK(layout->Finish({EntryOf(tag, tag)}));
  }
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(directory.path()));
  ASSERT_EQ(layout->entries().size(), 2u);
  EXPECT_EQ(layout->entries()[1].tag, "v2");
}

TEST(DirectoryLayoutTest, RefusesADirectoryWithOtherFiles) {
  const kv::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/letter") << "x";
  const absl::Status status = OpenDirectoryLayout(directory.path()).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("has other files than an OCI layout"));
}

TEST(TarLayoutTest, RefusesAFileThatExistsAndASecondWriter) {
  const kv::TemporaryDirectory directory;
  const std::string path = directory.path() + "/x.tar";
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenTarLayout(path));
  EXPECT_THAT(OpenTarLayout(path).status(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_OK(layout->Finish({}));
  EXPECT_THAT(OpenTarLayout(path).status(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(TarLayoutTest, TheSameImageGivesTheSameFile) {
  const kv::TemporaryDirectory directory;
  std::string before;
  for (const char* name : {"/a.tar", "/b.tar"}) {
    ASSERT_OK_AND_ASSIGN(const auto layout, OpenTarLayout(directory.path() + name));
    EXPECT_OK(WriteWholeBlob(layout.get(), DigestOf("x"), "x"));
    EXPECT_OK(layout->Finish({EntryOf("x", "v1")}));
    std::stringstream text;
    text << std::ifstream(directory.path() + name).rdbuf();
    if (!before.empty()) {
      EXPECT_EQ(text.str(), before);
    }
    before = text.str();
  }
}

}  // namespace
}  // namespace entrepot::ctl
